"""The root of `mlp`: which commands there are. Each command's module attaches itself with `register`."""

from __future__ import annotations

import typer

from cli import bootstrap, doctor, images, placement, projects, reachability, rotate, sandbox, setup, up

HELP = """The machine-learning platform's command line.

Exit codes: 0 done; 1 something is wrong, and the message says what and how to mend it; 2 the command line itself is
wrong; 130 interrupted.
"""


def make_app() -> typer.Typer:
    app = typer.Typer(name="mlp", help=HELP, no_args_is_help=True, pretty_exceptions_show_locals=False)
    for command in (setup, doctor, up, projects, images, placement, reachability, rotate, sandbox, bootstrap):
        command.register(app)
    return app


def main() -> None:
    make_app()(prog_name="mlp")
