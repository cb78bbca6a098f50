"""List of all that the sandbox does not do, or does otherwise than AWS, collected from all of its parts."""

from __future__ import annotations

from collections.abc import Iterator

from mlp_sandbox.clusters.limits import cluster_limits
from mlp_sandbox.emulator.late_limits import LATE_LIMITS
from mlp_sandbox.emulator.limits import LIMITS
from mlp_sandbox.providers.aws.services import HANDLERS, INVOKES
from mlp_sandbox.providers.kubernetes.limits import plugin_limits

Entry = dict[str, str]

_ENGINE: tuple[Entry, ...] = (
    {
        "service": "pulumi",
        "what": "`pulumi import` of a single resource writes no code",
        "effect": "use --generate-code=false, or the `import_` resource option",
    },
    {
        "service": "pulumi",
        "what": "stack files whose secrets provider is a KMS key of a real account",
        "effect": "used from a copy with the local passphrase: `mlp sandbox env --stack NAME`, `mlp sandbox demo "
        "--env NAME`",
    },
    {
        "service": "rds",
        "what": "security groups do not guard the local PostgreSQL",
        "effect": "every process of this machine that knows the password gets in, and every pod of the VPC's clusters "
        "that no NetworkPolicy keeps off; other machines are refused",
    },
    {
        "service": "rds",
        "what": "an instance's address is added to this machine's loopback interface while the sandbox is up",
        "effect": "it is one of its DB subnets; without root, without a subnet group, or where this machine is itself "
        "in a network that overlaps the subnets, one of 127.64.0.0/10, which pods do not reach",
    },
)


def all_limits() -> list[Entry]:
    """Return all limits, sorted, with the keys `service`, `what` and `effect`.

    One of them lists the resource types and functions that the provider plugin supports.
    """
    emulator = [
        {
            "service": limit.service,
            "what": limit.what,
            "effect": limit.effect + (f" ({', '.join(limit.operations)})" if limit.operations else ""),
        }
        for limit in (*LIMITS, *LATE_LIMITS)
    ]
    types = ", ".join(sorted(token.removeprefix("aws:").split("/")[0] + "." + _name(token) for token in HANDLERS))
    functions = ", ".join(sorted(_name(token) for token in INVOKES))
    plugin = {
        "service": "pulumi",
        "what": "resource types and functions of the aws package other than those listed here",
        "effect": f"an error that names the type. Known types: {types}. Known functions: {functions}",
    }
    return sorted(
        [*emulator, *cluster_limits(), *_ENGINE, *_refused_inputs(), *plugin_limits(), plugin],
        key=lambda entry: (entry["service"], entry["what"]),
    )


def _refused_inputs() -> Iterator[Entry]:
    for token, handler in HANDLERS.items():
        module = token.removeprefix("aws:").split("/")[0]
        for reason in dict.fromkeys(handler.unsupported.values()):
            names = ", ".join(sorted(name for name, text in handler.unsupported.items() if text == reason))
            what = f"inputs of {module}.{_name(token)}: {names}"
            yield {"service": module, "what": what, "effect": f"refused: {reason}"}


def _name(token: str) -> str:
    return token.rsplit(":", 1)[-1]
