"""State of the machine that clusters and databases can change. It must be the same before and after a sandbox runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from mlp_sandbox.clusters.folder import MARK, existing_folders, read_json
from mlp_sandbox.clusters.network.network import LINK_PREFIX
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.databases.postgres.host_addresses import label

_OURS = re.compile(r"mlp[A-Za-z0-9-]*")
_SETTINGS = ("net/ipv4/ip_forward", "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/default/rp_filter")


@dataclass(frozen=True, kw_only=True)
class HostState:
    """Snapshot of the machine: the names of resources of each kind. `tables` are the tables of the packet filter."""

    links: frozenset[str]
    addresses: frozenset[str]
    routes: frozenset[str]
    namespaces: frozenset[str]
    mounts: frozenset[str]
    tables: frozenset[str]
    control_groups: frozenset[str]
    processes: frozenset[str]
    settings: frozenset[str]


def snapshot(home: Path | None = None) -> HostState:
    """Take a snapshot of the machine.

    The folder of named network namespaces is left out: the first `ip netns add` on a machine mounts it permanently and
    for all users. https://man7.org/linux/man-pages/man8/ip-netns.8.html

    Args:
        home: If set, the snapshot leaves out resources of other sandboxes, which come and go independently.
    """
    ours = None if home is None else _names(home)

    def known(names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in names if ours is None or ours.issuperset(_OURS.findall(name)))

    links = json.loads(_output("ip", "-json", "address", "show"))
    routes = _output("ip", "route", "show").splitlines()
    namespaces = Path("/run/netns")
    return HostState(
        links=known(str(link["ifname"]) for link in links),
        addresses=known(
            f"{a['local']} on {a.get('label', link['ifname'])}" for link in links for a in link["addr_info"]
        ),
        routes=known(route.strip() for route in routes),
        namespaces=known(str(path) for path in namespaces.glob("*")),
        mounts=known(_mount_points() - {str(namespaces)}),
        tables=frozenset(_output("nft", "list", "tables").splitlines() if shutil.which("nft") else ()),
        control_groups=known(str(path) for path in Path("/sys/fs/cgroup").glob("**/mlp-node-*")),
        processes=frozenset(_marked(home)),
        settings=frozenset(f"{name}={_read(name)}" for name in _SETTINGS),
    )


def leftovers(before: HostState, after: HostState) -> list[str]:
    """Return a message for each resource that appeared or disappeared between two snapshots."""
    then: Mapping[str, frozenset[str]] = asdict(before)
    now: Mapping[str, frozenset[str]] = asdict(after)
    found: list[str] = []
    for kind, names in then.items():
        found += [f"{kind}: {name} is new" for name in sorted(now[kind] - names)]
        found += [f"{kind}: {name} is gone" for name in sorted(names - now[kind])]
    return found


def _mount_points() -> set[str]:
    return {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def _names(home: Path) -> set[str]:
    """Return the names that the clusters and databases of a home use outside their folders."""
    names = {label(home).partition(":")[2]}
    for folder in existing_folders(home):
        names |= {folder.netns, f"{LINK_PREFIX}{read_json(folder.places).get('uplink')}"}
        names |= {NodeFolder(path).cgroup for path in (folder.nodes.iterdir() if folder.nodes.is_dir() else ())}
    return names


def _marked(home: Path | None) -> list[str]:
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK)
            if mark is not None and (home is None or Path(mark).is_relative_to(home.resolve())):
                found.append(f"{process.pid} {process.name()} of {mark}")
        except psutil.Error:
            continue
    return found


def _read(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return "unknown"


def _output(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20).stdout
