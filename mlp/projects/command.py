"""`mlp projects`: group of commands for the files of projects."""

from __future__ import annotations

from mlp.projects.check import check
from mlp.projects.launch import launch
from mlp.projects.listing import app

__all__ = ["app"]

app.command("check")(check)
app.command("launch")(launch)
