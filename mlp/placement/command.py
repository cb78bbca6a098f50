"""`mlp placement`: check that every workload fits on a node, with the real scheduler and the program's node groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from mlp.console import plain_errors
from mlp.environments import Environments, known_environments
from mlp.extensions import control_plane

if TYPE_CHECKING:
    from mlp.placement.check import Result

console = Console()
errors = Console(stderr=True)


def placement(
    env: Environments = None,
    manifest: Annotated[
        list[Path] | None, typer.Option("--manifest", "-f", help="Further Kubernetes manifests (YAML) to place.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Let the real scheduler place every workload of the program on the nodes that its node groups can have.

    Deploys nothing and needs neither an AWS account nor root: the program is run and recorded, each group is at its
    maximum size with its smallest instance type, and a separate kube-scheduler decides. Volumes are ignored. Exit
    codes: 0 every workload fits, 1 there are findings, or the check failed.
    """
    with plain_errors():
        chosen = known_environments(env)
        # Imported here because these libraries would slow down every other command.
        from mlp.placement.check import check, read_manifests

        extra = [each for path in manifest or [] for each in read_manifests(path)]
        plane = control_plane()
        results = [check(name, extra, _report, plane) for name in chosen]
        if as_json:
            print(json.dumps([as_document(result) for result in results], indent=2))
        else:
            for result in results:
                show(result)
        if any(result.findings for result in results):
            raise typer.Exit(1)


def as_document(result: Result) -> dict[str, Any]:
    """Return the document for `--json`."""
    from mlp.placement.findings import summary

    return {
        "stack": result.stack,
        "groups": [
            {
                "name": each.name,
                "nodes": each.nodes,
                "instance_type": each.instance_type,
                "accelerators": each.accelerators,
            }
            for each in result.groups
        ],
        "workloads": {each.workload: each.as_dict() for each in summary(result.placements)},
        "findings": [each.as_dict() for each in result.findings],
    }


def show(result: Result) -> None:
    from mlp.placement.findings import summary

    nodes = Table("Group", "Nodes at most", "Instance type", "CPUs", "Memory", "Accelerators", title_justify="left")
    nodes.title = f"Placement in {result.stack}"
    for group in result.groups:
        devices = ", ".join(f"{count} {name}" for name, count in sorted(group.accelerators.items())) or "-"
        size = f"{group.memory_gib:.1f} GiB"
        nodes.add_row(group.name, str(group.nodes), group.instance_type, f"{group.cpus:g}", size, devices)
    console.print(nodes)
    placed = Table("Workload", "Placed", Column("Where", overflow="fold"))
    for row in summary(result.placements):
        where = ", ".join(f"{name} {count}" for name, count in sorted(row.groups.items())) or "-"
        style = "" if row.placed == row.wanted else "red"
        placed.add_row(row.workload, f"{row.placed} of {row.wanted}", where, style=style)
    console.print(placed)
    for finding in result.findings:
        console.print(f"[red]{finding.kind}[/red]: ", end="")
        console.print(f"{finding.subject}: {finding.reason}", highlight=False, markup=False, soft_wrap=True)
        console.print(f"  To mend it: {finding.fix}.", highlight=False, markup=False, soft_wrap=True)
    if not result.findings:
        console.print(f"{result.stack}: everything finds its place.")


def _report(message: str) -> None:
    errors.print(f"  {message}", highlight=False, markup=False, soft_wrap=True)
