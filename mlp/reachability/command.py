"""`mlp reachability`: check that all network paths of an environment are open, before anything is deployed."""

from __future__ import annotations

import json
from typing import Annotated

import pulumi
import typer
from rich.console import Console

from mlp.console import PlainError, plain_errors
from mlp.environments import SETTINGS_KEY, Environments, known_environments

console = Console()


def reachability(
    env: Environments = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """List missing routes, rules and endpoints between callers, Kubernetes API, nodes, pods, AWS and database.

    Deploys nothing and needs no AWS account: the program is run and recorded, and its own route tables, security groups
    and endpoints are checked. It cannot check networks beyond a transit gateway or a peering connection. Exit codes: 0
    every path is open, 1 there are findings, or the check failed.
    """
    with plain_errors():
        found = {name: check(name) for name in known_environments(env)}
        if as_json:
            print(json.dumps(found, indent=2))
        else:
            for name, lines in found.items():
                for line in lines or ["every way that it needs is open"]:
                    console.print(f"{name}: {line}", highlight=False, markup=False, soft_wrap=True)
        if any(found.values()):
            raise typer.Exit(1)


def check(environment: str) -> list[str]:
    """Return the findings of an environment. Raises PlainError if the program fails."""
    # Imported here because these libraries would slow down every other command.
    from mlp.reachability.read import read
    from mlp.reachability.ways import findings
    from mlp.recording import configuration, run_main

    config = configuration(environment)
    try:
        resources = run_main(environment, config).resources
    except pulumi.RunError as error:
        raise PlainError(str(error)) from error
    callers = config[SETTINGS_KEY]["cluster"].get("private_cidrs") or {}
    return [str(each) for each in findings(read(resources), callers)]
