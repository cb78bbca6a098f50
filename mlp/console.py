"""Shared console of the commands: output, reports, and errors without tracebacks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

# Without emoji: the ARN of a secret contains an emoji code (:secret:).
console = Console(emoji=False)
errors = Console(stderr=True, emoji=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


class PlainError(Exception):
    """Error that a user can fix. The message contains the problem and the fix."""

    is_for_people = True


@contextmanager
def plain_errors() -> Generator[None, None, None]:
    """Print errors for users on one screen, and end the command.

    An error is for users if its class has the attribute `is_for_people` with the value True. Packages mark their
    classes with it, so this module need not import them. Any other error passes through.

    Raises:
        typer.Exit: with code 1 after an error for users, with code 130 after Ctrl-C. After Ctrl-C the command can be
        repeated.
    """
    try:
        yield
    except Exception as error:
        if getattr(type(error), "is_for_people", False) is not True:
            raise
        errors.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        errors.print("interrupted; nothing is half done that the same command would not finish")
        raise typer.Exit(130) from error


def report(message: str) -> None:
    console.print(f"  {message}", highlight=False, markup=False, soft_wrap=True)
