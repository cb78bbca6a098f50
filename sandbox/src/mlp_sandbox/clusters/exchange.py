"""JSON files that the data plane and a cluster's supervisor exchange: the desired state and the status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlp_sandbox.clusters.folder import ClusterFolder, read_json, write
from mlp_sandbox.contracts.desired import ClusterStatus, EksAddon, EksCluster, EksInstance, EksNodeGroup, EksTaint
from mlp_sandbox.errors import SandboxError


@dataclass(frozen=True, kw_only=True)
class ProgramPaths:
    """Version and paths of the Kubernetes programs, by name, without a dependency on the toolchain."""

    version: str
    paths: Mapping[str, str]

    def path(self, name: str) -> Path:
        if name not in self.paths:
            raise SandboxError(f"no program {name!r} is there for clusters; there are: {', '.join(self.paths)}")
        return Path(self.paths[name])


@dataclass(frozen=True, kw_only=True)
class Desired:
    """Desired state of a cluster: the complete input of its supervisor.

    Attributes:
        real_nodes: True if some nodes run real containers, provided that the machine supports it.
        databases: Addresses of the databases in the cluster's VPC.
        database_ca: Path of the CA file that verifies the databases' certificates.
    """

    cluster: EksCluster
    emulator_port: int
    programs: ProgramPaths
    real_nodes: bool = True
    databases: tuple[str, ...] = ()
    database_ca: str | None = None

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def read(cls, path: Path) -> Desired:
        """Read the desired state from a file. Raises SandboxError if the file is missing or incomplete."""
        try:
            raw: dict[str, Any] = json.loads(path.read_text())
            return cls(
                cluster=_cluster(raw["cluster"]),
                emulator_port=int(raw["emulator_port"]),
                programs=ProgramPaths(**raw["programs"]),
                real_nodes=bool(raw.get("real_nodes", True)),
                databases=tuple(raw.get("databases", ())),
                database_ca=raw.get("database_ca"),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SandboxError(
                f"{path} says not what the cluster shall be ({error}); start the sandbox anew"
            ) from error


def _cluster(raw: Mapping[str, Any]) -> EksCluster:
    read: dict[str, Any] = {
        **raw,
        "addons": tuple(EksAddon(**addon) for addon in raw["addons"]),
        "node_groups": tuple(_group(group) for group in raw["node_groups"]),
        "pod_identities": tuple(raw.get("pod_identities", ())),
    }
    return EksCluster(**read)


def _group(raw: Mapping[str, Any]) -> EksNodeGroup:
    read: dict[str, Any] = {
        **raw,
        "taints": tuple(EksTaint(**taint) for taint in raw["taints"]),
        "instances": tuple(EksInstance(**instance) for instance in raw["instances"]),
    }
    return EksNodeGroup(**read)


@dataclass(frozen=True, kw_only=True)
class PartStatus:
    """Status of one process, node or add-on of a cluster. `reason` explains in words why it is unhealthy."""

    state: str
    reason: str | None = None
    pid: int | None = None
    restarts: int = 0
    real: bool | None = None


@dataclass(frozen=True, kw_only=True)
class SupervisorStatus:
    """Status of a cluster, which its supervisor writes. `components`, `nodes` and `addons` are keyed by name."""

    state: Literal["creating", "active", "failed"]
    version: str
    name: str
    endpoint: str | None = None
    certificate_authority: str | None = None
    reason: str | None = None
    netns: str | None = None
    real_nodes_possible: bool = True
    components: Mapping[str, PartStatus] = field(default_factory=dict[str, PartStatus])
    nodes: Mapping[str, PartStatus] = field(default_factory=dict[str, PartStatus])
    addons: Mapping[str, PartStatus] = field(default_factory=dict[str, PartStatus])

    def write(self, folder: ClusterFolder) -> None:
        write(folder.status, json.dumps(asdict(self), indent=1, sort_keys=True))

    @classmethod
    def read(cls, folder: ClusterFolder) -> SupervisorStatus | None:
        """Read the status of a cluster, or return None if its file is missing or incomplete."""
        raw = read_json(folder.status)
        try:
            parts: dict[str, Any] = {
                kind: {name: PartStatus(**part) for name, part in raw[kind].items()}
                for kind in ("components", "nodes", "addons")
            }
            return cls(**{**raw, **parts})
        except (KeyError, TypeError, AttributeError):
            return None

    def for_emulator(self) -> ClusterStatus:
        return ClusterStatus(
            state=self.state,
            endpoint=self.endpoint,
            certificate_authority=self.certificate_authority,
            reason=self.reason,
            ready_nodes=frozenset(name for name, node in self.nodes.items() if node.state == "ready"),
            healthy_addons=frozenset(name for name, addon in self.addons.items() if addon.state == "healthy"),
        )
