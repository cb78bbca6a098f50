"""Commands for projects: training, promoting, asking and watching what a team deployed. The same on every account."""

from __future__ import annotations

import typer

from cli.projects import history, listing, logs, page, predict, promote, status, train


def register(root: typer.Typer) -> None:
    for command in (
        listing.projects,
        train.train,
        history.runs,
        history.models,
        promote.promote,
        promote.rollback,
        predict.predict,
        logs.logs,
        status.status,
        page.mlflow,
    ):
        root.command()(command)
