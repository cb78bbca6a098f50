"""`mlp sandbox demo`: deploy an environment on this machine from scratch and print a summary of it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mlp.console import plain_errors
from mlp.environments import known_environments
from mlp.projects.commands import run_to_its_end
from mlp_sandbox import lifecycle
from mlp_sandbox.clusters.lifecycle import ClusterProcesses
from mlp_sandbox.commands.first_model import Answer, first_answers
from mlp_sandbox.commands.start import bring_up
from mlp_sandbox.engine.install import pulumi
from mlp_sandbox.engine.stack_files import usable
from mlp_sandbox.environment import process_environment
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT, Instance, find

console = Console()


_DONE = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced"}


def demo(
    env: Annotated[str, typer.Option("--env", "-e", help="Which environment to deploy.")] = "dev",
    name: Annotated[str | None, typer.Option("--name", "-n", help="Which sandbox.")] = None,
) -> None:
    """Start the sandbox, deploy an environment into it with the real Pulumi engine, and print a summary.

    The command can be repeated at any time: it leaves alone what is already in the desired state. To deploy to AWS, use
    `pulumi up`.
    """
    with plain_errors():
        start = time.monotonic()
        instance = find(name)
        known_environments([env])
        console.print("[bold]Sandbox[/bold]")
        bring_up(instance)
        if instance.nodes == "real" and os.geteuid() == 0:
            console.print("[bold]Images[/bold]  (two to three minutes the first time)")
            build = ("images", "build", "--env", env)
            _run(instance, f"mlp {' '.join(build)}", sys.executable, "-P", "-m", "mlp", *build)
        console.print(f"[bold]pulumi up --stack {env}[/bold]  (three to four minutes the first time)")
        config_file = usable(instance, env)
        options = ("--stack", env, "--yes", "--skip-preview", "--config-file", str(config_file))
        _run(instance, f"pulumi up --stack {env}", str(instance.bin / "pulumi"), "up", *options)
        answers = list(first_answers(instance, env)) if runs_containers(instance) else []
        summarise(instance, env, answers, time.monotonic() - start)


def runs_containers(instance: Instance) -> bool:
    """Return whether pods run containers; pods on simulated nodes run nothing, so no model is trained there."""
    return all(cluster.real_nodes_possible for cluster in lifecycle.status(instance).clusters)


def _run(instance: Instance, title: str, *command: str) -> None:
    code = run_to_its_end(command, PROJECT, process_environment(instance))
    if code:
        raise SandboxError(f"`{title}` ended with exit code {code}; run `mlp sandbox demo` again to go on")


def summarise(instance: Instance, stack: str, answers: list[Answer], seconds: float) -> None:
    deployment = json.loads(pulumi(instance, "stack", "export", "--stack", stack))["deployment"]
    history = json.loads(pulumi(instance, "stack", "history", "--stack", stack, "--json", "--page-size", "1"))
    console.print()
    console.print(_components(stack, deployment["resources"]))
    console.print(f"{changes(history[0].get('resourceChanges', {}))}, after {seconds:.0f} s.")
    console.print(f"State: {instance.state}  AWS API: {instance.endpoint}", highlight=False, soft_wrap=True)
    clusters = lifecycle.status(instance).clusters
    for cluster in clusters:
        console.print(describe_cluster(cluster), highlight=False, soft_wrap=True)
    [outputs] = [each.get("outputs", {}) for each in deployment["resources"] if each["type"] == "pulumi:pulumi:Stack"]
    console.print(f"MLflow: {outputs.get('mlflow_uri')} inside the cluster", highlight=False, soft_wrap=True)
    for each in answers:
        address = outputs["projects"][each.project]["address"]
        said = ", ".join(map(str, each.predictions))
        console.print(
            f"Model {each.project}: version {each.version} answers at {address}/predict inside the cluster; "
            f"its example: {said}",
            highlight=False,
            soft_wrap=True,
        )
    console.print("Type next:")
    for line, why in (
        ('eval "$(.venv/bin/mlp sandbox env)"', "then plain pulumi, aws, kubectl and psql work here"),
        *((f"aws eks update-kubeconfig --name {each.name}", "point kubectl to the cluster") for each in clusters[:1]),
        *(("kubectl get nodes -L accelerator", "its nodes") for _ in clusters[:1]),
        (f"mlp mlflow --env {stack}", "MLflow's web page, at a port of this machine"),
        *(
            (f"mlp {command} {each.project} --env {stack}{options}", why)
            for each in answers[:1]
            for command, options, why in (
                ("status", "", "how it is trained and served"),
                ("train", " --follow", "another version"),
                ("models", " --history", "versions, and who promoted what"),
            )
        ),
        (f"mlp placement --env {stack}", "would everything find a node?"),
        (f"pulumi preview --stack {stack} --diff", "what a change of the program would do"),
        (f"pulumi stack output --stack {stack}", "addresses and names"),
        ("aws s3 ls; aws ec2 describe-vpcs", "the emulated account"),
        ("make down", "stop; everything is kept"),
    ):
        console.print(f"  {line:<50} # {why}", highlight=False, markup=False, soft_wrap=True)


def describe_cluster(cluster: ClusterProcesses) -> str:
    """Describe a cluster in one line: its Kubernetes version, and which of its nodes run containers."""
    real = sum(bool(node["real"]) for node in cluster.nodes.values())
    nodes = f"{real} real nodes" + (f", {len(cluster.nodes) - real} simulated" if len(cluster.nodes) > real else "")
    if not cluster.real_nodes_possible:
        nodes = f"{len(cluster.nodes)} simulated nodes, whose pods run nothing: real ones need root (see `mlp doctor`)"
    return f"Cluster {cluster.name}: {cluster.state}, Kubernetes {cluster.version} at {cluster.endpoint}, {nodes}"


def changes(counts: dict[str, int]) -> str:
    """Return the engine's own count of resource changes as a phrase."""
    changed = {_DONE.get(kind, kind): count for kind, count in sorted(counts.items()) if kind != "same" and count}
    if not changed:
        return f"No changes: all {counts.get('same', 0)} resources are as they should be"
    return ", ".join(f"{count} {kind}" for kind, count in changed.items())


def count_by_component(resources: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """Count physical resources by layer and component, then by type.

    The outermost component is the environment itself, so its name is left out.
    """
    by_urn = {resource["urn"]: resource for resource in resources}
    found: dict[str, Counter[str]] = {}
    for resource in resources:
        if not resource.get("custom") or resource["type"].startswith("pulumi:"):
            continue
        owners: list[str] = []
        parent = resource.get("parent", "")
        while parent in by_urn and by_urn[parent]["type"] != "pulumi:pulumi:Stack":
            owners.insert(0, parent.rsplit("::", 1)[-1])
            parent = by_urn[parent].get("parent", "")
        component = " / ".join(owners[1:3] or owners) or "(stack)"
        found.setdefault(component, Counter())[resource["type"].rsplit(":", 1)[-1]] += 1
    return found


def _components(stack: str, resources: list[dict[str, Any]]) -> Table:
    table = Table("Component", "Resources", "What", title=f"Environment {stack}", title_justify="left")
    counts = count_by_component(resources)
    for component, types in sorted(counts.items()):
        what = ", ".join(f"{count} {kind}" for kind, count in types.most_common(4))
        more = len(types) - 4
        table.add_row(component, str(types.total()), what + (f", {more} more types" if more > 0 else ""))
    table.add_row("total", str(sum(types.total() for types in counts.values())), "", style="bold")
    return table
