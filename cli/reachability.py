"""`mlp reachability`: is every way open that an environment needs? Looked at before anything is deployed."""

from __future__ import annotations

import json
from typing import Annotated

import pulumi
import typer
from rich.console import Console

from cli.plain import plain_errors
from sandbox.engine.stacks import known_stacks
from sandbox.errors import SandboxError

console = Console()


def register(root: typer.Typer) -> None:
    root.command()(reachability)


def reachability(
    stack: Annotated[
        list[str] | None, typer.Option("--stack", "-s", help="Which environment; can be repeated. All when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Say which routes, rules and endpoints are missing between callers, Kubernetes API, nodes, pods, AWS and database.

    Deploys nothing and needs no AWS account: the program is run and recorded, and its own route tables, security groups
    and endpoints are looked at. What lies beyond a transit gateway or a peering connection it cannot know. Exit codes:
    0 every way is open, 1 there are findings, or the check could not be made.
    """
    with plain_errors():
        chosen = known_stacks(stack or [])
        found = {name: check(name) for name in chosen}
        if as_json:
            print(json.dumps(found, indent=2))
        else:
            for name, lines in found.items():
                for line in lines or ["every way that it needs is open"]:
                    console.print(f"{name}: {line}", highlight=False, markup=False, soft_wrap=True)
        if any(found.values()):
            raise typer.Exit(1)


def check(stack: str) -> list[str]:
    """List the findings of an environment. Raise SandboxError when the program cannot be run."""
    # Only here: the libraries that it needs would make every other command slower.
    from cli.reachability_read import read
    from cli.reachability_ways import findings
    from cli.recording import configuration, run_main

    config = configuration(stack)
    try:
        resources = run_main(stack, config).resources
    except pulumi.RunError as error:
        raise SandboxError(str(error)) from error
    callers = config["ml-platform:platform"]["cluster"].get("private_cidrs") or {}
    return [str(each) for each in findings(read(resources), callers)]
