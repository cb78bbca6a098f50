"""Find, end and remove what remains on this machine of a sandbox whose folder was deleted.

An object is an orphan when the folder that it names as its owner no longer exists. The folder of a running or stopped
sandbox exists, in this clone or another one, so its objects are not touched. Objects that name no folder are not
touched either.
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
# Objects that start or hold others are removed first.
_ORDER: tuple[Kind, ...] = ("emulator", "process", "control group", "link", "namespace", "address")
_EMULATOR = "mlp_sandbox.emulator"
_YOUNG_SECONDS = 60.0
# Enough time for an orderly end; their data need not be saved, because the folder is gone.
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
    """Return every object whose folder is gone, in the order of removal.

    Without root, processes of other users are not found.

    Args:
        within: restricts the result to objects of that folder or of one below it.
    """
    found = orphaned((thing for thing in _all() if not _elsewhere(thing)), Path.exists)
    return [thing for thing in found if within is None or thing.owner.is_relative_to(within)]


def remove(things: Sequence[Thing]) -> list[str]:
    """End and remove the objects that `find` returned. Return the failures, in words."""
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
    """Remove every object whose folder is gone, report each one, and return their number.

    A failure is reported, not raised.
    """
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
    """End and remove all objects of a folder and all children of this process. Return the failures, in words.

    The caller knows that the folder was deleted. Parts of it may exist, because they were written during the deletion.
    """
    children = [child.pid for child in psutil.Process().children(recursive=True)]
    found = [thing for thing in orphaned(_all(), _never) if thing.owner.is_relative_to(folder.resolve())]
    others = [pid for pid in children if str(pid) not in {thing.name for thing in found}]
    return [*remove(found), *_end(others)]


def orphaned(things: Iterable[Thing], exists: Callable[[Path], bool]) -> list[Thing]:
    """Return the objects whose folder does not exist, each once, with those that hold others first."""
    lost = {thing for thing in things if thing.owner.is_absolute() and not exists(thing.owner)}
    return sorted(lost, key=lambda thing: (_ORDER.index(thing.kind), thing.name))


def process_owner(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Kind, Path] | None:
    """Return the kind and the folder of a process, from its command line and environment; None for other processes."""
    if MARK in environment:
        return "process", Path(environment[MARK])
    if _EMULATOR in arguments and "--home" in arguments[:-1]:
        return "emulator", Path(arguments[list(arguments).index("--home") + 1])
    return None


def owner_of_noted(name: str, folder: Path) -> Thing | None:
    """Return the object of a note; None when its name was not derived from that folder."""
    if name == ClusterFolder(folder).netns:
        return Thing(kind="namespace", name=name, owner=folder)
    if name == NodeFolder(folder).cgroup:
        return Thing(kind="control group", name=name, owner=folder)
    if name == host_addresses.label(folder):
        return Thing(kind="address", name=name, owner=folder)
    return None


def owners_of_links(links: Iterable[Mapping[str, object]]) -> Iterator[Thing]:
    """Yield the uplinks of clusters from the answer of `ip -json link show`; the alias of each is its folder."""
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
        # A new emulator needs a moment to create its folder.
        if found is not None and not (found[0] == "emulator" and young):
            yield Thing(kind=found[0], name=str(process.pid), owner=found[1])


def _elsewhere(thing: Thing) -> bool:
    """Return whether a process sees its folder although this process does not: it runs in another container."""
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
    # Since the look-up, the holder of its other end may have deleted the link, or another owner may have taken the
    # name.
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
