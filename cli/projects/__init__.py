"""Commands for projects: training, promoting, asking and watching what a team deployed. The same on every account."""

from __future__ import annotations

import typer

from cli.projects import check, history, launch, listing, logs, page, predict, promote, status, train


def register(root: typer.Typer) -> None:
    root.add_typer(listing.app, name="projects")
    listing.app.command("check")(check.check)
    listing.app.command("launch")(launch.launch)
    for command in (
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
