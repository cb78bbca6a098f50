"""Placement check: record the program, read its nodes and workloads, and run the scheduler."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import yaml
from kubernetes import config

from mlp.console import PlainError
from mlp.placement.findings import Finding, Group, Placement, findings
from mlp.placement.nodes import Declared, nodes_of
from mlp.placement.scheduler import Scheduler
from mlp.placement.workloads import Manifest, ManifestError, workloads
from mlp.recording import configuration, run_main

Report = Callable[[str], None]
ControlPlane = Callable[[Path, Report], AbstractContextManager[Path]]
"""Context manager that runs an API server and a scheduler in an empty folder, and returns the path of a kubeconfig."""


@dataclass(frozen=True, kw_only=True)
class Result:
    stack: str
    groups: Sequence[Group]
    placements: Sequence[Placement] = field(repr=False)
    findings: Sequence[Finding]


def check(stack: str, extra: Sequence[Manifest], report: Report, control_plane: ControlPlane) -> Result:
    """Run an environment's program and let a scheduler place its workloads.

    Args:
        stack: name of the environment.
        extra: additional Kubernetes manifests to place.
        report: called with a line at every step.
        control_plane: starts the scheduler's control plane. It must have no nodes and no pods.

    Raises:
        PlainError: the program fails, its workloads or nodes are invalid, or the scheduler does not answer.
    """
    try:
        resources = run_main(stack, configuration(stack)).resources
    except pulumi.RunError as error:
        raise PlainError(str(error)) from error
    declared = [Declared(typ=each.typ, name=each.name, inputs=each.inputs) for each in resources if each.custom]
    manifests = [_manifest(each) for each in declared if each.typ.startswith("kubernetes:")]
    try:
        found = workloads([*manifests, *extra])
    except ManifestError as error:
        raise PlainError(f"stack {stack}: {error}") from error
    nodes = nodes_of(declared)
    report(f"{stack}: {len(nodes.objects)} nodes, {len(found)} workloads; starting a scheduler (usually 5 s)")
    with (
        tempfile.TemporaryDirectory(prefix="placement-") as folder,
        control_plane(Path(folder), report) as kubeconfig,
    ):
        api = config.new_client_from_config(str(kubeconfig))
        placements = Scheduler(api, nodes.objects, report).place(found)
    return Result(
        stack=stack, groups=nodes.groups, placements=placements, findings=findings(nodes.groups, placements, found)
    )


def read_manifests(path: Path) -> list[Manifest]:
    """Return the documents of a YAML file, with lists of objects unpacked. Raises PlainError that names the file."""
    try:
        documents: list[Any] = [each for each in yaml.safe_load_all(path.read_text()) if each]
    except OSError as error:
        raise PlainError(f"--manifest {path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise PlainError(f"--manifest {path}: is not YAML: {' '.join(str(error).split())}") from error
    unpacked = [item for each in documents for item in (each["items"] if _is_list(each) else [each])]
    for each in unpacked:
        if not isinstance(each, dict) or "kind" not in each:
            raise PlainError(f"--manifest {path}: holds something that is no Kubernetes object; give it a kind")
    return unpacked


def _manifest(resource: Declared) -> Manifest:
    """Return a resource's inputs as a manifest. An unnamed object gets the logical name, as the engine names it."""
    named = {"name": resource.name, **(resource.inputs.get("metadata") or {})}
    return _with_whole_numbers({**resource.inputs, "metadata": named})


def _with_whole_numbers(value: Any) -> Any:
    """Convert whole floating-point numbers to integers.

    Resources are registered with floating-point numbers only, which Kubernetes rejects in integer fields.
    """
    if isinstance(value, dict):
        return {key: _with_whole_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_list(document: Any) -> bool:
    return isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document
