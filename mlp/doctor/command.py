"""`mlp doctor`: list the tools of this machine, and the functions that missing tools disable."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from mlp.console import errors, plain_errors
from mlp.doctor.entry import Entry
from mlp.doctor.inventory import as_document, blocking, take_inventory

console = Console()


def doctor(
    env: Annotated[
        str | None, typer.Option("--env", "-e", help="Look at this environment's settings and its AWS account instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every tool, its version and its origin; for a missing tool, list what does not work without it.

    Changes nothing, with one exception: if a local account is installed, it also removes and reports processes that
    deleted local accounts have left running. With --env, it lists what an environment needs of AWS, and what the
    account of the current credentials provides. Exit codes: 0 everything required exists, 1 something required is
    missing.
    """
    with plain_errors():
        if env is not None:
            from mlp.doctor.environment import look_at

            if not look_at(env, as_json=as_json):
                raise typer.Exit(1)
            return
        entries = take_inventory(lambda words: errors.print(words, highlight=False, markup=False, soft_wrap=True))
        if as_json:
            print(json.dumps(as_document(entries), indent=2))
        else:
            _show(entries)
        if blocking(entries):
            raise typer.Exit(1)


def _show(entries: list[Entry]) -> None:
    table = Table("Tool", "Version", "From", Column("Where", overflow="fold"), title="Tools", title_justify="left")
    for entry in entries:
        kind = f"[red]{entry.problem}[/red]" if entry.required else f"[yellow]{entry.problem}, optional[/yellow]"
        table.add_row(entry.name, kind if entry.missing else entry.version, entry.origin, entry.path)
    console.print(table)
    for entry in entries:
        if entry.missing:
            line = f"{entry.name}: {entry.problem}; {entry.without}. To mend it: {entry.fix}."
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    stopping = len(blocking(entries))
    console.print(f"{stopping} required missing." if stopping else "Everything required is here.")
