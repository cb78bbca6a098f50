"""Selection of project and environment for a command, from the repository's files alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from mlp.console import PlainError
from mlp.environments import PROGRAM, ROOT, SETTINGS_KEY, STACKS, known_environments, stack_file

if TYPE_CHECKING:
    from pathlib import Path

    from ml_workloads.project import Project

PROJECTS: Final = ROOT / "ml_workloads" / "projects"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Environment. `prefix` is the prefix of its names; `teams` have a role of their own on its cluster."""

    name: str
    region: str
    prefix: str
    cluster: str
    teams: frozenset[str]

    @property
    def deploy(self) -> str:
        """Return the command that deploys the environment, for messages."""
        return f"`pulumi up --stack {self.name}`"

    def role_for(self, team: str | None) -> str:
        """Return the role on the cluster for people who work on a team's projects."""
        from components.naming import slug

        return f"{self.prefix}-cluster-team-{slug(team)}" if team in self.teams else f"{self.prefix}-cluster-platform"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Project in an environment."""

    project: Project
    environment: Environment

    @property
    def role(self) -> str:
        return self.environment.role_for(self.project.team)

    @property
    def account_secret(self) -> str:
        return f"{self.environment.prefix}/mlflow/accounts/{self.project.name}/password"


def all_projects(folder: Path = PROJECTS) -> tuple[Project, ...]:
    from ml_workloads.project import find_projects

    return find_projects(folder)


def served_examples(environment: str, folder: Path = PROJECTS) -> dict[str, Path]:
    """Return the example requests of the projects that are served in an environment, by the project's name."""
    from ml_workloads.project.image import EXAMPLE_FILE

    served = (each for each in all_projects(folder) if environment in each.environments and each.serving.online)
    examples = {each.name: folder / each.name / EXAMPLE_FILE for each in served}
    return {name: path for name, path in examples.items() if path.is_file()}


def find_environment(name: str, folder: Path = STACKS) -> Environment:
    """Return an environment from its stack file.

    Only the fields that are needed here are read; the program validates the whole file.
    """
    from components.naming import cluster_name

    known_environments([name], folder)
    source = f"stacks/Pulumi.{name}.yaml"
    try:
        content: Any = yaml.safe_load(stack_file(name, folder).read_text(encoding="utf-8"))
        settings = content["config"][SETTINGS_KEY]
        region, teams = str(settings["region"]), settings["cluster"].get("teams") or {}
    except UnicodeDecodeError as error:
        raise PlainError(f"{source}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except yaml.YAMLError as error:
        raise PlainError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise PlainError(f"{source} has no {SETTINGS_KEY} with region and cluster, as Pulumi.dev.yaml has") from error
    prefix = f"{PROGRAM}-{name}"
    return Environment(name=name, region=region, prefix=prefix, cluster=cluster_name(prefix), teams=frozenset(teams))


def find_place(project: str, environment: str, projects: Path = PROJECTS, stacks: Path = STACKS) -> Place:
    """Return a project in an environment.

    Raises:
        PlainError: there is no such project, or its file does not list the environment.
    """
    from ml_workloads.project import PROJECT_FILE, load_project

    found = find_environment(environment, stacks)
    names = sorted(path.parent.name for path in projects.glob(f"*/{PROJECT_FILE}"))
    if project not in names:
        raise PlainError(f"there is no project {project!r}; there are {', '.join(names) or 'none yet'}")
    loaded = load_project(projects / project / PROJECT_FILE)
    if environment not in loaded.environments:
        raise PlainError(
            f"{project} is not meant for {environment}: its environments are {', '.join(loaded.environments)}; "
            f"add {environment} to environments in ml_workloads/projects/{project}/{PROJECT_FILE}, then {found.deploy}"
        )
    return Place(project=loaded, environment=found)
