"""What runs or lies on this machine for a sandbox whose folder somebody has deleted: found, ended and taken away.

An object belongs to nobody when the folder that it names itself as its own is not there any more. The folder of a
living or stopped sandbox is there, of this clone or another; nothing that names it is touched. What names no folder is
left alone as well.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import psutil

from mlp_sandbox import owners
from mlp_sandbox.clusters.folder import MARK, ClusterFolder
from mlp_sandbox.clusters.network import network
from mlp_sandbox.clusters.nodes.real import cgroups
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.databases.postgres import host_addresses
from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.errors import SandboxError

Kind: TypeAlias = Literal["emulator", "process", "control group", "link", "namespace", "address"]
# What others are started or held by goes first.
_ORDER: tuple[Kind, ...] = ("emulator", "process", "control group", "link", "namespace", "address")
_EMULATOR = "mlp_sandbox.emulator"
_YOUNG_SECONDS = 60.0
# Enough to end in order; what they would still write has no place any more.
_END_SECONDS = 5.0
_LINK = re.compile(rf"{network.LINK_PREFIX}\d+")


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One object of this machine and the folder that it belongs to. `name` is the pid of a process."""

    kind: Kind
    name: str
    owner: Path

    def __str__(self) -> str:
        what = f"{self.kind} {self.name}" if self.kind != "emulator" else f"emulator (process {self.name})"
        return f"{what} of {self.owner}"


def find(within: Path | None = None) -> list[Thing]:
    """Return everything whose folder is gone, in the order in which it is to be removed.

    With `within` only what belongs to that folder or one below it. Without root other users' processes stay unknown.
    """
    found = orphaned((thing for thing in _all() if not _elsewhere(thing)), Path.exists)
    return [thing for thing in found if within is None or thing.owner.is_relative_to(within)]


def remove(things: Sequence[Thing]) -> list[str]:
    """End and take away what `find` found, and return what could not be, in words."""
    problems: list[str] = []
    for kind in ("emulator", "process"):
        problems += _end([int(thing.name) for thing in things if thing.kind == kind])
    lasting = [thing for thing in things if thing.kind in _REMOVE]
    with network.machine_lock() if lasting else nullcontext():
        for thing in lasting:
            try:
                _REMOVE[thing.kind](thing)
            except (SandboxError, DataPlaneError, OSError) as error:
                problems.append(f"{thing}: {error}")
    return problems


def clear(report: Callable[[str], None]) -> int:
    """Remove everything whose folder is gone, say what, and return how much it was. A failure is said, not raised."""
    try:
        found = find()
    except (SandboxError, OSError, ValueError) as error:
        report(f"What deleted sandboxes have left could not be looked for: {error}")
        return 0
    for thing in found:
        report(f"Removing {thing}, which is not there any more")
    for problem in remove(found):
        report(problem)
    return len(found)


def end_everything_of(folder: Path) -> list[str]:
    """End and remove all that belongs to a folder, children of this process included, and return what cannot be.

    For whoever knows that the folder was deleted: parts of it may be there, written while it was.
    """
    children = [child.pid for child in psutil.Process().children(recursive=True)]
    found = [thing for thing in orphaned(_all(), _never) if thing.owner.is_relative_to(folder.resolve())]
    others = [pid for pid in children if str(pid) not in {thing.name for thing in found}]
    return [*remove(found), *_end(others)]


def orphaned(things: Iterable[Thing], exists: Callable[[Path], bool]) -> list[Thing]:
    """Return those whose folder is not there, each once, what others are held by first."""
    lost = {thing for thing in things if thing.owner.is_absolute() and not exists(thing.owner)}
    return sorted(lost, key=lambda thing: (_ORDER.index(thing.kind), thing.name))


def process_owner(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Kind, Path] | None:
    """Return which part of which folder a process is, told from its command line and environment, or None."""
    if MARK in environment:
        return "process", Path(environment[MARK])
    if _EMULATOR in arguments and "--home" in arguments[:-1]:
        return "emulator", Path(arguments[list(arguments).index("--home") + 1])
    return None


def owner_of_noted(name: str, folder: Path) -> Thing | None:
    """Return the object of a note; None where the folder is not the one that the name was made from."""
    if name == ClusterFolder(folder).netns:
        return Thing(kind="namespace", name=name, owner=folder)
    if name == NodeFolder(folder).cgroup:
        return Thing(kind="control group", name=name, owner=folder)
    if name == host_addresses.label(folder):
        return Thing(kind="address", name=name, owner=folder)
    return None


def owners_of_links(links: Iterable[Mapping[str, object]]) -> Iterator[Thing]:
    """Yield the uplinks of clusters from what `ip -json link show` says; each bears its folder as alias."""
    for link in links:
        name, alias = str(link.get("ifname", "")), str(link.get("ifalias", ""))
        if _LINK.fullmatch(name) and alias:
            yield Thing(kind="link", name=name, owner=Path(alias))


def _all() -> Iterator[Thing]:
    yield from _processes()
    yield from _noted()
    yield from _links()


def _processes() -> Iterator[Thing]:
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid():
                continue
            found = process_owner(process.cmdline(), process.environ())
            young = time.time() - process.create_time() < _YOUNG_SECONDS
        except (psutil.Error, OSError):
            continue
        # An emulator makes its folder itself, a moment after it has started.
        if found is not None and not (found[0] == "emulator" and young):
            yield Thing(kind=found[0], name=str(process.pid), owner=found[1])


def _elsewhere(thing: Thing) -> bool:
    """Whether a process sees its folder although this one does not: it runs in another container."""
    return thing.kind in ("emulator", "process") and Path(f"/proc/{thing.name}/root{thing.owner}").exists()


def _never(_: Path) -> bool:
    return False


def _noted() -> Iterator[Thing]:
    for name, folder in owners.noted():
        thing = owner_of_noted(name, folder)
        if thing is not None:
            yield thing


def _links() -> Iterator[Thing]:
    if host_addresses.possible():
        yield from owners_of_links(json.loads(network.ip("-json", "link", "show")))


def _end(pids: Sequence[int]) -> list[str]:
    """Ask processes to end, and kill those that do not."""
    processes: list[psutil.Process] = []
    for pid in pids:
        try:
            processes.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            try:
                process.send_signal(number)
            except psutil.Error:
                continue
        _, processes = psutil.wait_procs(processes, timeout=_END_SECONDS)
    return [f"process {process.pid} does not end" for process in processes]


def _remove_group(thing: Thing) -> None:
    cgroups.remove(thing.name)
    owners.forget(thing.name)


def _remove_link(thing: Thing) -> None:
    # Deleted by whoever held its other end, or taken by somebody else since it was looked at.
    shown: list[dict[str, object]] = json.loads(network.ip("-json", "link", "show"))
    if thing in set(owners_of_links(shown)):
        network.ip("link", "delete", thing.name)


def _remove_namespace(thing: Thing) -> None:
    if (network.NETNS_FOLDER / thing.name).exists():
        network.delete_namespace(thing.name)
    owners.forget(thing.name)


def _remove_addresses(thing: Thing) -> None:
    host_addresses.release(thing.owner)
    owners.forget(thing.name)


_REMOVE: Mapping[str, Callable[[Thing], None]] = {
    "control group": _remove_group,
    "link": _remove_link,
    "namespace": _remove_namespace,
    "address": _remove_addresses,
}
