"""`mlp projects`: group of commands for files of projects, and the list of projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlp.console import Json, PlainError, plain_errors
from mlp.projects.environment import all_projects, find_environment
from mlp.projects.show import print_json, print_table, tell

if TYPE_CHECKING:
    from ml_workloads.project import Project

COLUMNS = ("Project", "Team", "Owner", "Environments", "Accelerator", "Schedule (UTC)", "Serving")


app = typer.Typer(help="Projects of this repository: listed, checked, and brought to a first served answer.")
OnlyIn = Annotated[str | None, typer.Option("--env", "-e", help="Only those that are meant for it.")]


@app.callback(invoke_without_command=True)
def projects(context: typer.Context, env: OnlyIn = None, as_json: Json = False) -> None:
    """Commands for the projects of this repository. Without a subcommand it lists them, like `mlp projects list`."""
    if context.invoked_subcommand is None:
        list_projects(env, as_json)
    elif env is not None or as_json:
        raise typer.BadParameter(f"write --env and --json after the word {context.invoked_subcommand}")


@app.command("list")
def list_projects(env: OnlyIn = None, as_json: Json = False) -> None:
    """List the projects of this repository: team, owner, environments, accelerator, schedule.

    Reads only files; `mlp status` shows whether and how a project is deployed.
    """
    with plain_errors():
        if env is not None:
            find_environment(env)
        found = [each for each in all_projects() if env is None or env in each.environments]
        if as_json:
            print_json([as_document(each) for each in found])
        elif not found:
            where = f" for {env}" if env else ""
            tell(f"There are no projects{where} yet: ml_workloads/projects/<name>/project.yaml makes one.")
        else:
            print_table("Projects", COLUMNS, (row(each) for each in found))


def as_document(project: Project) -> dict[str, Any]:
    """Return the document for `--json`."""
    training, online = project.training, project.serving.online
    accelerator = training.accelerator
    return {
        "name": project.name,
        "team": project.team,
        "owner": project.owner,
        "description": project.description,
        "environments": list(project.environments),
        "namespace": project.namespace,
        "accelerator": {"type": accelerator.type, "count": accelerator.count} if accelerator else None,
        "schedule": training.schedule,
        "gate": gate_of(project),
        "replicas": {"least": online.replicas, "most": online.most_replicas} if online else None,
    }


def gate_of(project: Project) -> dict[str, Any]:
    """Return the gate with the field names of project.yaml, without unset fields."""
    return project.training.gate.model_dump(exclude_none=True)


def row(project: Project) -> tuple[object, ...]:
    accelerator, online = project.training.accelerator, project.serving.online
    least, most = (online.replicas, online.most_replicas) if online else (0, 0)
    return (
        project.name,
        project.team,
        project.owner,
        ", ".join(project.environments),
        f"{accelerator.count} {accelerator.type}" if accelerator else None,
        project.training.schedule,
        None if online is None else f"replicas: {least} to {most}" if most > least else f"replicas: {least}",
    )


def no_serving(project: str) -> PlainError:
    return PlainError(f"{project} is not served: its project.yaml has no serving.online")
