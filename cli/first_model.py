"""The end of `mlp up`: each project with an example has a model in production, and it answers.

What has been done before is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cli.plain import console
from cli.projects.commands import Answer, Commands
from cli.projects.environment import PROJECTS, all_projects
from ml_workloads.project import Project
from ml_workloads.project.image import EXAMPLE_FILE
from sandbox.environment import process_environment
from sandbox.instance import PROJECT, Instance

__all__ = ["Answer", "first_answers", "projects_with_examples"]


def first_answers(instance: Instance, stack: str) -> Iterator[Answer]:
    """Train, promote and ask, as far as it is not done. Raises PlainError where a command refuses."""
    mlp = Commands(stack=stack, again="`mlp up`", variables=process_environment(instance), root=PROJECT)
    for project in projects_with_examples(stack):
        console.print(f"[bold]{project.name}[/bold]")
        version = mlp.model_in_production(project.name)
        yield mlp.ask(project.name, version, str(PROJECTS / project.name / EXAMPLE_FILE))


def projects_with_examples(stack: str, folder: Path = PROJECTS) -> list[Project]:
    """Return those that are served in the environment and bring a request to try."""
    return [
        project
        for project in all_projects(folder)
        if stack in project.environments and project.serving.online and (folder / project.name / EXAMPLE_FILE).is_file()
    ]
