"""Plan for a node's first process: network, mounts and services, as plain data in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Network:
    """Connection of the node to the cluster's bridge, and its address."""

    netns: str
    bridge: str
    link: str
    address: str
    prefix_length: int
    gateway: str
    pod_cidr: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """Process of the node that is restarted when it ends.

    Attributes:
        after: Path of a socket that must exist before the process starts.
        while_exists: Path of a file; the process runs only while it exists.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    after: str | None = None
    while_exists: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Complete input of a node's first process.

    Attributes:
        fingerprint: Hash of the properties that require a restart of the node when they change.
        binds: Bind mounts as (source, target) inside the node's mount namespace.
    """

    fingerprint: str
    hostname: str
    network: Network
    binds: tuple[tuple[str, str], ...]
    services: tuple[Service, ...]
    registry: str

    def write(self, path: Path) -> None:
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_text(json.dumps(asdict(self), indent=1, sort_keys=True))
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read a plan. Raises OSError, ValueError, KeyError or TypeError if the file is missing or incomplete."""
        raw: dict[str, Any] = json.loads(path.read_text())
        return cls(
            fingerprint=raw["fingerprint"],
            hostname=raw["hostname"],
            network=Network(**raw["network"]),
            binds=tuple((source, target) for source, target in raw["binds"]),
            services=tuple(_service(each) for each in raw["services"]),
            registry=raw["registry"],
        )


def _service(raw: dict[str, Any]) -> Service:
    command: list[str] = raw["command"]
    rest = {name: value for name, value in raw.items() if name != "command"}
    return Service(command=tuple(command), **rest)
