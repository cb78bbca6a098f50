"""One placement check: the program recorded, its nodes and workloads read, and the scheduler asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from kubernetes import config

from cli.placement_findings import Finding, Group, Placement, findings
from cli.placement_nodes import Declared, nodes_of
from cli.placement_scheduler import Scheduler
from cli.placement_workloads import Manifest, ManifestError, workloads
from cli.recording import configuration, run_main
from sandbox.cluster.scratch import scratch_control_plane
from sandbox.errors import SandboxError
from sandbox.toolchain import ensure_kubernetes

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    stack: str
    groups: Sequence[Group]
    placements: Sequence[Placement] = field(repr=False)
    findings: Sequence[Finding]


def check(stack: str, extra: Sequence[Manifest], report: Report) -> Result:
    """Raises SandboxError when the program cannot be run, or its workloads not be read."""
    try:
        resources = run_main(stack, configuration(stack)).resources
    except pulumi.RunError as error:
        raise SandboxError(str(error)) from error
    declared = [Declared(typ=each.typ, name=each.name, inputs=each.inputs) for each in resources if each.custom]
    manifests = [_manifest(each) for each in declared if each.typ.startswith("kubernetes:")]
    try:
        found = workloads([*manifests, *extra])
    except ManifestError as error:
        raise SandboxError(f"stack {stack}: {error}") from error
    nodes = nodes_of(declared)
    report(f"{stack}: {len(nodes.objects)} nodes, {len(found)} workloads; starting a scheduler (usually 5 s)")
    with (
        tempfile.TemporaryDirectory(prefix="placement-") as folder,
        scratch_control_plane(Path(folder), ensure_kubernetes(report), report=report) as plane,
    ):
        api = config.new_client_from_config(str(plane.kubeconfig))
        placements = Scheduler(api, nodes.objects, report).place(found)
    return Result(
        stack=stack, groups=nodes.groups, placements=placements, findings=findings(nodes.groups, placements, found)
    )


def read_manifests(path: Path) -> list[Manifest]:
    """The documents of a YAML file; lists of objects are unpacked. Raises SandboxError that names the file."""
    try:
        documents: list[Any] = [each for each in yaml.safe_load_all(path.read_text()) if each]
    except OSError as error:
        raise SandboxError(f"--manifest {path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise SandboxError(f"--manifest {path}: is not YAML: {' '.join(str(error).split())}") from error
    unpacked = [item for each in documents for item in (each["items"] if _is_list(each) else [each])]
    for each in unpacked:
        if not isinstance(each, dict) or "kind" not in each:
            raise SandboxError(f"--manifest {path}: holds something that is no Kubernetes object; give it a kind")
    return unpacked


def _manifest(resource: Declared) -> Manifest:
    """A resource's inputs are its manifest; the engine names after the logical name what has no name."""
    named = {"name": resource.name, **(resource.inputs.get("metadata") or {})}
    return _with_whole_numbers({**resource.inputs, "metadata": named})


def _with_whole_numbers(value: Any) -> Any:
    """Resources are registered with floating-point numbers only, which Kubernetes refuses in fields for whole ones."""
    if isinstance(value, dict):
        return {key: _with_whole_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_list(document: Any) -> bool:
    return isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document
