"""`mlp bootstrap`: create the resources that an AWS account needs before the first `pulumi up` of an environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
import yaml
from rich.console import Console
from rich.table import Table

from mlp.console import PlainError
from mlp.environments import SETTINGS_KEY, STACKS, Env, known_environments

if TYPE_CHECKING:
    from mlp.bootstrap.plan import Item
    from stacks.settings import PlatformSettings

DONE: Final = {"exists": "existed", "create": "created", "change": "changed", "not needed": "not needed"}
PLANNED: Final = {"exists": "exists", "create": "to create", "change": "to change", "not needed": "not needed"}

console = Console()
errors = Console(stderr=True)


def bootstrap(
    env: Env,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing the account.")] = False,
) -> None:
    """Prepare an AWS account for an environment: state bucket, key for the state, trust in GitHub's workflows.

    Uses the same credentials as the `aws` command. Resources that are already correct stay unchanged, so it can be run
    again at any time. Exit codes: 0 everything exists; 1 the preparation failed, or the changes were not confirmed.
    """
    # These imports take seconds, so other commands skip them.
    from mlp.bootstrap.account import AwsAccount
    from mlp.bootstrap.plan import next_commands, plan, target_of
    from mlp.doctor.quotas import check_quotas
    from stacks.settings import SettingsError

    try:
        settings = read_settings(env, STACKS)
        account = AwsAccount(settings.region)
        target = target_of(settings, account.scope)
        items = plan(target, account.observe(target))
        changes = [item for item in items if item.steps]
        heading = f"{env}: account {account.scope.account_id}, {account.scope.region}, as {account.caller_arn}"
        if changes and not yes:
            _confirm(heading, items, as_json=as_json)
        for item in changes:
            account.carry_out(item, target)
        commands = next_commands(target, os.environ)
        short = [each.problem for each in check_quotas(settings, account.service_quotas) if each.problem]
    except (PlainError, SettingsError) as error:
        errors.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        print(json.dumps({**_document(items, DONE), "applied": True, "quotas": short, "next": commands}, indent=2))
        return
    _show(heading, items, DONE)
    for problem in short:
        console.print(f"Quota: {problem}", highlight=False, markup=False, soft_wrap=True)
    console.print("Type next:")
    for line in commands:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"The second writes the stack's encrypted data key into stacks/Pulumi.{env}.yaml: commit that file.")


def read_settings(environment: str, folder: Path) -> PlatformSettings:
    """Return the settings of a stack file, read without Pulumi."""
    from mlp.bootstrap.plan import BootstrapError
    from stacks.settings import parse_settings

    known_environments([environment], folder)
    path = folder / f"Pulumi.{environment}.yaml"
    source = f"stacks/{path.name}, {SETTINGS_KEY}"
    try:
        content: Any = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise BootstrapError(f"stacks/{path.name} is not YAML: {error}") from error
    found = content.get("config", {}).get(SETTINGS_KEY) if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise BootstrapError(f"{source}: got {found!r}; add the settings of the environment, as in Pulumi.dev.yaml")
    settings = parse_settings(found, source)
    if settings.environment != environment:
        raise BootstrapError(f"{source}\n  environment: got {settings.environment!r}; write {environment!r}")
    return settings


def _confirm(heading: str, items: list[Item], *, as_json: bool) -> None:
    """Show the planned changes and ask for confirmation; exit with code 1 unless the user confirms."""
    interactive = sys.stdin.isatty() and not as_json
    if as_json:
        print(json.dumps({**_document(items, PLANNED), "applied": False}, indent=2))
    else:
        _show(heading, items, PLANNED)
    if not interactive:
        errors.print("Nothing was changed: run again with --yes to make these changes.")
        raise typer.Exit(1)
    if not typer.confirm("Make these changes?"):
        errors.print("Nothing was changed.")
        raise typer.Exit(1)


def _document(items: list[Item], words: dict[str, str]) -> dict[str, Any]:
    return {
        "items": [
            {
                "kind": item.kind,
                "name": item.name,
                "status": words[item.status],
                "steps": list(item.steps),
                "note": item.note,
            }
            for item in items
        ]
    }


def _show(heading: str, items: list[Item], words: dict[str, str]) -> None:
    console.print(heading, highlight=False, markup=False, soft_wrap=True)
    table = Table("What", "Name", "State", "Steps")
    for item in items:
        table.add_row(item.kind, item.name, words[item.status], "; ".join(item.steps) or item.note)
    console.print(table)
    for item in items:
        if item.note and item.steps:
            console.print(f"{item.kind}: {item.note}", highlight=False, markup=False, soft_wrap=True)
