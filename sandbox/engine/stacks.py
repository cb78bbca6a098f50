"""The stacks of the project in the sandbox's own backend: made before first use, freed of locks of dead processes."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil
import yaml

from sandbox.engine.install import pulumi
from sandbox.errors import SandboxError
from sandbox.instance import PROJECT, Instance


def stack_names(project: Path = PROJECT) -> list[str]:
    """Names of the committed stack files, wherever Pulumi.yaml keeps them."""
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
    folder = project / settings.get("stackConfigDir", ".")
    return sorted(path.name.split(".")[1] for path in folder.glob("Pulumi.*.yaml"))


def ensure_stacks(instance: Instance) -> list[str]:
    """Make the stacks that the backend lacks; answers those that were made."""
    known = {entry["name"].rsplit("/", 1)[-1] for entry in json.loads(pulumi(instance, "stack", "ls", "--json"))}
    missing = [name for name in stack_names() if name not in known]
    for name in missing:
        pulumi(instance, "stack", "init", name, "--no-select")
    return missing


def remove_dead_locks(instance: Instance) -> list[str]:
    """Remove update locks whose process on this machine has ended (killed in the middle); answers their stacks."""
    freed = []
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
