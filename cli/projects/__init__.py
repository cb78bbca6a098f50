"""Commands for projects: training, promoting, asking and watching what a team deployed. The same on every account."""

from __future__ import annotations

import typer

from cli.projects.history import models, runs
from cli.projects.logs import logs
from cli.projects.predict import predict
from cli.projects.projects import projects
from cli.projects.promote import promote, rollback
from cli.projects.status import status
from cli.projects.train import train


def register(root: typer.Typer) -> None:
    for command in (projects, train, runs, models, promote, rollback, predict, logs, status):
        root.command()(command)
