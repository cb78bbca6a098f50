"""Detection of objects that belong to a deleted folder, by the marks that every object carries."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlp_sandbox import orphans, owners
from mlp_sandbox.clusters.folder import MARK, ClusterFolder
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.databases.postgres import host_addresses
from mlp_sandbox.orphans import Thing, orphaned, owner_of_noted, owners_of_links, process_owner
from mlp_sandbox.presence import Presence

_GONE, _HERE = Path("/gone/aws/eks/c1"), Path("/here/aws/eks/c1")


def _exists(path: Path) -> bool:
    return path.is_relative_to("/here")


def _thing(kind: orphans.Kind, name: str, owner: Path = _GONE) -> Thing:
    return Thing(kind=kind, name=name, owner=owner)


def test_only_what_names_a_folder_that_is_gone_is_an_orphan_and_holders_go_before_what_they_hold():
    things = [
        _thing("address", "lo:mlp1"),
        _thing("namespace", "mlp-1"),
        _thing("namespace", "mlp-2", _HERE),
        _thing("link", "mlp-up7"),
        _thing("process", "7"),
        _thing("process", "7"),
        _thing("process", "8", _HERE),
        _thing("process", "9", Path("relative")),
        _thing("emulator", "70", Path("/gone/aws")),
        _thing("control group", "mlp-node-1"),
    ]
    found = [(thing.kind, thing.name) for thing in orphaned(things, _exists)]
    assert found == [
        ("emulator", "70"),
        ("process", "7"),
        ("control group", "mlp-node-1"),
        ("link", "mlp-up7"),
        ("namespace", "mlp-1"),
        ("address", "lo:mlp1"),
    ]


@pytest.mark.parametrize(
    ("arguments", "environment", "found"),
    [
        (["python", "-m", "mlp_sandbox.emulator", "--home", "/a/aws", "--port", "1"], {}, ("emulator", Path("/a/aws"))),
        (["etcd", "--data-dir", "x"], {MARK: "/a/aws/eks/c"}, ("process", Path("/a/aws/eks/c"))),
        (["python", "-m", "mlp_sandbox.emulator"], {}, None),
        (["python", "-m", "mlp_sandbox.emulator", "--home"], {}, None),
        (["vim", "mlp_sandbox.emulator", "/a/aws"], {}, None),
        (["postgres", "-D", "/a/aws/rds"], {"HOME": "/a"}, None),
        ([], {}, None),
    ],
)
def test_a_process_tells_its_folder_by_its_mark_or_as_an_emulator_by_its_command(
    arguments: list[str], environment: dict[str, str], found: tuple[str, Path] | None
):
    assert process_owner(arguments, environment) == found


def test_a_note_counts_only_for_the_folder_that_the_name_was_made_from():
    cluster, node, home = ClusterFolder(_GONE), NodeFolder(_GONE / "nodes" / "n"), Path("/gone/aws")
    assert owner_of_noted(cluster.netns, _GONE) == _thing("namespace", cluster.netns)
    assert owner_of_noted(node.cgroup, node.root) == _thing("control group", node.cgroup, node.root)
    label = host_addresses.label(home)
    assert owner_of_noted(label, home) == _thing("address", label, home)
    for name in (cluster.netns, node.cgroup, label):
        assert owner_of_noted(name, Path("/another")) is None
    assert owner_of_noted("eth0", _GONE) is None


def test_a_link_without_our_name_and_an_alias_is_nobody_s():
    links = [
        {"ifname": "mlp-up1", "ifalias": str(_GONE)},
        {"ifname": "mlp-up2"},
        {"ifname": "mlp-upstairs", "ifalias": str(_GONE)},
        {"ifname": "eth0", "ifalias": str(_GONE)},
    ]
    assert list(owners_of_links(links)) == [_thing("link", "mlp-up1")]


def test_notes_are_kept_while_there_are_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(owners, "FOLDER", tmp_path / "notes")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    owners.note("mlp-1", tmp_path / "a")
    owners.note("mlp-2", tmp_path / "b")
    owners.note("mlp-1", tmp_path / "c")
    assert list(owners.noted()) == [("mlp-1", tmp_path / "c"), ("mlp-2", tmp_path / "b")]
    owners.forget("mlp-1")
    owners.forget("never")
    owners.forget("mlp-2")
    assert not (tmp_path / "notes").exists()
    assert list(owners.noted()) == []


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """Run a process that carries the mark of a cluster's folder and ignores SIGTERM."""
    folder = tmp_path / "eks" / "c"
    folder.mkdir(parents=True)
    text = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    child = subprocess.Popen(
        [sys.executable, "-c", text], env={**os.environ, MARK: str(folder)}, stdout=subprocess.PIPE, cwd="/"
    )
    assert child.stdout is not None
    child.stdout.readline()
    yield folder, child
    child.kill()
    child.wait()


def test_a_marked_process_is_left_alone_while_its_folder_is_there_and_killed_when_it_is_gone(
    sleeper: tuple[Path, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(orphans, "_END_SECONDS", 0.5)
    folder, child = sleeper
    assert orphans.find(folder) == []
    folder.rmdir()
    [found] = orphans.find(folder)
    assert (found.kind, found.name) == ("process", str(child.pid))
    assert orphans.remove([found]) == []
    assert not psutil.pid_exists(child.pid) or psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE


def test_a_folder_is_lost_when_it_is_deleted_moved_or_made_anew(tmp_path: Path):
    for number, change in enumerate(("delete", "move", "anew", "file")):
        folder = tmp_path / str(number)
        folder.mkdir()
        presence = Presence(folder)
        (folder / "content").touch()
        assert not presence.lost
        (folder / "content").unlink()
        if change == "move":
            folder.rename(tmp_path / "moved")
        else:
            folder.rmdir()
        if change == "anew":
            folder.mkdir()
        if change == "file":
            folder.touch()
        assert presence.lost, change
        folder.unlink() if change == "file" else None
        folder.mkdir(exist_ok=True)
        assert presence.lost, "lost for good"


def test_a_deletion_under_way_is_told_by_a_file_that_is_gone(tmp_path: Path):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "lock").touch()
    presence = Presence(folder, folder / "lock")
    assert not presence.lost
    (folder / "lock").unlink()
    assert presence.lost


def test_a_watcher_is_told_once(tmp_path: Path):
    folder, told = tmp_path / "folder", threading.Event()
    folder.mkdir()
    Presence(folder).watch(told.set)
    assert not told.wait(0.1)
    folder.rmdir()
    assert told.wait(10)
