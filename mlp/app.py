"""Root of the `mlp` command line. The module of a command is imported when the command is called."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from mlp.console import plain_errors
from mlp.extensions import COMMANDS, installed, load

HELP: Final = """The machine-learning platform's command line.

Exit codes: 0 done; 1 something is wrong, and the message says what and how to mend it; 2 the command line itself is
wrong; 130 interrupted.
"""

# In the order of `mlp --help`. Commands of other installed packages follow at the end.
OWN: Final = {
    "doctor": "mlp.doctor.command:doctor",
    "projects": "mlp.projects.command:app",
    "train": "mlp.projects.train:train",
    "runs": "mlp.projects.history:runs",
    "models": "mlp.projects.history:models",
    "promote": "mlp.projects.promote:promote",
    "rollback": "mlp.projects.promote:rollback",
    "predict": "mlp.projects.predict:predict",
    "logs": "mlp.projects.logs:logs",
    "status": "mlp.projects.status:status",
    "mlflow": "mlp.projects.page:mlflow",
    "images": "mlp.images.command:app",
    "placement": "mlp.placement.command:placement",
    "reachability": "mlp.reachability.command:reachability",
    "rotate": "mlp.rotate:rotate",
    "bootstrap": "mlp.bootstrap.command:bootstrap",
}


class Root(TyperGroup):
    """Group of all commands: own commands, and those of installed packages.

    Own commands win over others of the same name.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return [*OWN, *(name for name in installed(COMMANDS) if name not in OWN)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in OWN:
            return as_command(cmd_name, EntryPoint(cmd_name, OWN[cmd_name], COMMANDS).load())
        entry = installed(COMMANDS).get(cmd_name)
        if entry is None:
            return None
        with plain_errors():
            return as_command(cmd_name, load(entry))


def as_command(name: str, loaded: Any) -> Any:
    """Return the command for a Typer application, or for a function with Typer's annotations."""
    parent = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    parent.callback()(_root)
    if isinstance(loaded, typer.Typer):
        parent.add_typer(loaded, name=name)
    else:
        parent.command(name)(loaded)
    group: Any = get_command(parent)
    return group.commands[name]


def make_app() -> typer.Typer:
    """Return the application. It looks up commands when one is called or listed."""
    app = typer.Typer(name="mlp", cls=Root, help=HELP, no_args_is_help=True, pretty_exceptions_show_locals=False)
    app.callback()(_root)
    return app


def main() -> None:
    """Run `mlp`."""
    make_app()(prog_name="mlp")


def _root() -> None:
    """Root callback without options."""
