"""Command line in the format of the original: Go's flag syntax, and the original's defaults and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .durations import parse_duration
from .official_flags import SWITCHES, VALUES

EXPANDERS = ("random", "least-waste", "most-pods", "least-nodes", "priority")
_MORE_EXPANDERS = ("price", "grpc")


class FlagError(Exception):
    """Error of a flag. The message contains the flag, its value and valid values."""


@dataclass(frozen=True, kw_only=True)
class NodeGroupRange:
    """Value of one flag --nodes=<min>:<max>:<Auto Scaling group>."""

    minimum: int
    maximum: int
    name: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of the autoscaler. Times are in seconds.

    Attributes:
        discovery: One mapping of tags for each auto-discovery flag. A value is None if only the key must match.
        ignored: Names of the given flags that have no effect here.
    """

    discovery: tuple[dict[str, str | None], ...] = ()
    nodes: tuple[NodeGroupRange, ...] = ()
    expander: tuple[str, ...] = ("least-waste",)
    scan_interval: float = 10.0
    scale_down_enabled: bool = True
    scale_down_unneeded_time: float = 600.0
    scale_down_delay_after_add: float = 600.0
    scale_down_utilization_threshold: float = 0.5
    skip_nodes_with_local_storage: bool = True
    skip_nodes_with_system_pods: bool = True
    max_graceful_termination_sec: int = 600
    balance_similar_node_groups: bool = False
    enforce_node_group_min_size: bool = False
    max_node_provision_time: float = 900.0
    max_nodes_total: int = 0
    max_nodes_per_scaleup: int = 1000
    max_scale_down_parallelism: int = 10
    new_pod_scale_up_delay: float = 0.0
    expendable_pods_priority_cutoff: int = -10
    namespace: str = "kube-system"
    write_status_configmap: bool = True
    status_config_map_name: str = "cluster-autoscaler-status"
    address: str = ":8085"
    kubeconfig: str = ""
    ignored: tuple[str, ...] = ()


_SECONDS = (
    "scan-interval",
    "scale-down-unneeded-time",
    "scale-down-delay-after-add",
    "max-node-provision-time",
    "new-pod-scale-up-delay",
)
_NUMBERS = (
    "max-nodes-total",
    "max-nodes-per-scaleup",
    "max-scale-down-parallelism",
    "max-graceful-termination-sec",
    "expendable-pods-priority-cutoff",
)
_TEXTS = ("namespace", "status-config-map-name", "address", "kubeconfig")
_OWN_SWITCHES = (
    "scale-down-enabled",
    "skip-nodes-with-local-storage",
    "skip-nodes-with-system-pods",
    "balance-similar-node-groups",
    "enforce-node-group-min-size",
    "write-status-configmap",
)
_OWN_VALUES = frozenset((*_SECONDS, *_NUMBERS, *_TEXTS, "cloud-provider", "node-group-auto-discovery", "nodes")) | {
    "expander",
    "scale-down-utilization-threshold",
}


def parse(arguments: Sequence[str]) -> Options:
    """Parse the command line. Raises FlagError."""
    given = _pairs(arguments)
    single = dict(given)
    provider = single.get("cloud-provider", "")
    if provider != "aws":
        raise FlagError(f"--cloud-provider={provider}: this program knows only aws; write --cloud-provider=aws")
    options: dict[str, object] = {
        name.replace("-", "_"): value for name, text in single.items() if (value := _value(name, text)) is not None
    }
    options["discovery"] = tuple(_tags(text) for name, text in given if name == "node-group-auto-discovery")
    options["nodes"] = tuple(_range(text) for name, text in given if name == "nodes")
    options["ignored"] = tuple(sorted(name for name in single if name in VALUES | SWITCHES))
    if not options["discovery"] and not options["nodes"]:
        raise FlagError(
            "no node groups: give --node-group-auto-discovery=asg:tag=<key>,... or --nodes=<min>:<max>:<name>"
        )
    return Options(**options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _pairs(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return (name, value) of every flag. A switch without a value is true."""
    pairs: list[tuple[str, str]] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        name, equals, value = word.lstrip("-").partition("=")
        name = name.replace("_", "-")
        if not word.startswith("-") or not name:
            raise FlagError(f"{word!r} is no flag; write --<flag>=<value>")
        if name in SWITCHES or name in _OWN_SWITCHES:
            value = value if equals else "true"
        elif name in VALUES or name in _OWN_VALUES:
            if not equals:
                if not left:
                    raise FlagError(f"--{name} needs a value; write --{name}=<value>")
                value = left.pop(0)
        else:
            raise FlagError(f"unknown flag: --{name}; see the original's list of parameters")
        pairs.append((name, value))
    return pairs


def _value(name: str, text: str) -> object | None:
    """Return the value of a flag, or None if the flag does not map directly to a field of Options."""
    try:
        if name in _SECONDS:
            return parse_duration(text)
        if name in _NUMBERS:
            return int(text)
        if name in _OWN_SWITCHES:
            return _switch(text)
        if name in _TEXTS:
            return text
        if name == "scale-down-utilization-threshold":
            return float(text)
        if name == "expander":
            return _expanders(text)
    except ValueError as error:
        raise FlagError(f"--{name}={text}: {error}") from error
    return None


def _switch(text: str) -> bool:
    if text.lower() in ("1", "t", "true"):
        return True
    if text.lower() in ("0", "f", "false"):
        return False
    raise ValueError("write true or false")


def _expanders(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name in _MORE_EXPANDERS:
            raise ValueError(f"{name} is not available here; choose from {', '.join(EXPANDERS)}")
        if name not in EXPANDERS:
            raise ValueError(f"there is no expander {name!r}; choose from {', '.join(EXPANDERS)}")
    return names


def _tags(text: str) -> dict[str, str | None]:
    kind, _, rest = text.partition(":")
    word, equals, pairs = rest.partition("=")
    if kind != "asg" or word != "tag" or not equals or not pairs:
        raise FlagError(f"--node-group-auto-discovery={text}: write asg:tag=<key>[=<value>],<key>[=<value>]")
    tags: dict[str, str | None] = {}
    for pair in pairs.split(","):
        key, equals, value = pair.partition("=")
        if not key:
            raise FlagError(f"--node-group-auto-discovery={text}: a tag without key; write asg:tag=<key>,<key>")
        tags[key] = value if equals else None
    return tags


def _range(text: str) -> NodeGroupRange:
    minimum, _, rest = text.partition(":")
    maximum, _, name = rest.partition(":")
    if not minimum.isdecimal() or not maximum.isdecimal() or not name or int(minimum) > int(maximum):
        raise FlagError(f"--nodes={text}: write <min>:<max>:<Auto Scaling group>, such as 0:4:gpu")
    return NodeGroupRange(minimum=int(minimum), maximum=int(maximum), name=name)
