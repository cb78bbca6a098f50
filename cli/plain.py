"""What the commands share: where they print, how they report, and errors without tracebacks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from components.checkout import SourceError
from sandbox.errors import SandboxError
from validation.errors import SettingsError

# Without emoji: an ARN of a secret holds the name of one.
console = Console(emoji=False)
errors = Console(stderr=True, emoji=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


class PlainError(Exception):
    """Something that a person can mend; the message says what is wrong and how."""


@contextmanager
def plain_errors() -> Generator[None, None, None]:
    """One-screen errors, exit code 1; Ctrl-C exits with 130 and says that the command can be repeated."""
    try:
        yield
    except (PlainError, SandboxError, SettingsError, SourceError) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        errors.print("interrupted; nothing is half done that the same command would not finish")
        raise typer.Exit(130) from error


def report(message: str) -> None:
    console.print(f"  {message}", highlight=False, markup=False, soft_wrap=True)
