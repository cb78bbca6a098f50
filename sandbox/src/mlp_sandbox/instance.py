"""One sandbox: its name, its folder and its port. Several can run side by side, each with a folder of its own."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from mlp_sandbox.aws_command import write_configuration
from mlp_sandbox.emulator.propagation import Speed
from mlp_sandbox.errors import SandboxError

Nodes: TypeAlias = Literal["real", "simulated"]
DEFAULT_NAME = "default"
DEFAULT_PORT = 4566
SOURCES = Path(__file__).resolve().parents[1]
PROJECT = SOURCES.parents[1]
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def sandboxes_folder() -> Path:
    """Return the folder of all sandboxes of this clone: MLP_SANDBOX_HOME, else `.mlp` beside the program."""
    return Path(os.environ.get("MLP_SANDBOX_HOME") or PROJECT / ".mlp").absolute()


@dataclass(frozen=True)
class Instance:
    """Settings of one sandbox.

    Attributes:
        port: the loopback port of the emulated AWS API.
        nodes: whether some nodes of clusters run containers ("real") or none ("simulated").
        propagation: the delay of changes that AWS makes effective some seconds later.
    """

    name: str
    port: int
    home: Path
    nodes: Nodes = "real"
    propagation: Speed = "usual"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def aws(self) -> Path:
        """Folder of the emulated account: journal, objects, databases."""
        return self.home / "aws"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def bin(self) -> Path:
        return self.home / "bin"

    @property
    def pulumi_home(self) -> Path:
        return self.home / "pulumi"

    @property
    def state(self) -> Path:
        """Folder of the engine's `file://` backend."""
        return self.home / "state"

    @property
    def aws_configuration(self) -> Path:
        """File that AWS_CONFIG_FILE names, instead of the user's own."""
        return self.home / "aws-config"

    @property
    def kubeconfig(self) -> Path:
        """File that KUBECONFIG names, instead of the user's own; `aws eks update-kubeconfig` writes it."""
        return self.home / "kubeconfig"

    @property
    def exists(self) -> bool:
        return (self.home / "sandbox.json").is_file()

    def save(self) -> None:
        for folder in (self.aws, self.logs, self.bin, self.pulumi_home, self.state):
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        write_configuration(self.aws_configuration)
        settings = {"name": self.name, "port": self.port, "nodes": self.nodes, "propagation": self.propagation}
        (self.home / "sandbox.json").write_text(json.dumps(settings) + "\n")


def find(
    name: str | None = None,
    port: int | None = None,
    nodes: Nodes | None = None,
    propagation: Speed | None = None,
) -> Instance:
    """Return the sandbox of that name with its saved settings, or with defaults when it was not set up yet.

    Args:
        name: by default the value of MLP_SANDBOX, else "default".
        port: replaces the saved port.
        nodes: replaces the saved kind of nodes.
        propagation: replaces the saved propagation.

    Raises:
        SandboxError: the name, port, kind of nodes or propagation cannot be used.
    """
    name = name or os.environ.get("MLP_SANDBOX") or DEFAULT_NAME
    if not _NAME.fullmatch(name):
        raise SandboxError(f"sandbox name {name!r}: use 1-31 lower-case letters, digits and hyphens")
    home = sandboxes_folder() / name
    found = _noted(Instance(name, DEFAULT_PORT, home))
    found = replace(
        found,
        port=found.port if port is None else port,
        nodes=nodes or found.nodes,
        propagation=propagation or found.propagation,
    )
    if not 1024 <= found.port <= 65535:
        raise SandboxError(f"port {found.port}: use a port from 1024 to 65535")
    if found.nodes not in get_args(Nodes):
        raise SandboxError(f"nodes {found.nodes!r}: use {' or '.join(get_args(Nodes))}")
    if found.propagation not in get_args(Speed):
        raise SandboxError(f"propagation {found.propagation!r}: use {', '.join(get_args(Speed))}")
    return found


def _noted(instance: Instance) -> Instance:
    """Return the sandbox with the settings that it was set up with, if any."""
    settings = instance.home / "sandbox.json"
    if not settings.is_file():
        return instance
    try:
        noted = json.loads(settings.read_text())
        return replace(
            instance,
            port=int(noted["port"]),
            nodes=noted.get("nodes", "real"),
            propagation=noted.get("propagation", "usual"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SandboxError(f"{settings} is damaged ({error}); delete it, or run `mlp sandbox reset`") from error


def all_instances() -> Iterator[Instance]:
    """Yield every sandbox that was set up in this clone."""
    folder = sandboxes_folder()
    for settings in sorted(folder.glob("*/sandbox.json")) if folder.is_dir() else []:
        yield find(settings.parent.name)


def as_dict(instance: Instance) -> dict[str, str | int]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(instance).items()}
