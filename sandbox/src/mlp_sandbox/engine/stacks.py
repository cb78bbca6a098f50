"""Stacks of the project in the sandbox's own backend.

They are created before first use, and freed of locks of dead processes.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from pathlib import Path

import psutil

from mlp_sandbox.engine.install import pulumi
from mlp_sandbox.engine.stack_files import folder, usable
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT, Instance


def stack_names(project: Path = PROJECT) -> list[str]:
    """Return the names of the committed stack files."""
    return sorted(path.name.split(".")[1] for path in folder(project).glob("Pulumi.*.yaml"))


def require_stack(name: str) -> None:
    """Raise SandboxError for a value of `--stack` that has no stack file."""
    names = stack_names()
    if name not in names:
        raise SandboxError(f"--stack {name!r}: there is no such stack file; there are {', '.join(names)}")


def ensure_stacks(instance: Instance) -> list[str]:
    """Create the stacks that the backend lacks, and return their names."""
    known = {entry["name"].rsplit("/", 1)[-1] for entry in json.loads(pulumi(instance, "stack", "ls", "--json"))}
    missing = [name for name in stack_names() if name not in known]
    if missing:
        # The engine writes into the stack file of a new stack. It gets a copy of the project, so that committed files
        # do not change.
        with tempfile.TemporaryDirectory(dir=instance.home) as scratch:
            project = Path(scratch)
            shutil.copy(PROJECT / "Pulumi.yaml", project)
            target = project / folder().relative_to(PROJECT)
            target.mkdir(parents=True, exist_ok=True)
            for name in missing:
                shutil.copy(usable(instance, name), target)
                pulumi(instance, "stack", "init", name, "--no-select", project=project)
    return missing


def remove_dead_locks(instance: Instance) -> list[str]:
    """Remove update locks whose process on this machine has ended (killed in an update); return their stacks."""
    freed: list[str] = []
    for path in sorted((instance.state / ".pulumi" / "locks").rglob("*.json")):
        try:
            lock = json.loads(path.read_text())
            dead = lock["hostname"] == socket.gethostname() and not psutil.pid_exists(int(lock["pid"]))
        except (ValueError, KeyError, OSError) as error:
            raise SandboxError(f"the lock {path} cannot be read ({error}); if nothing runs, delete it") from error
        if dead:
            path.unlink(missing_ok=True)
            freed.append(path.parent.name)
    return freed
