"""Find what `pulumi up` would refuse of all projects together: names in each other's way, and roles that are too long.

Pure, apart from reading files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlp.environments import PROGRAM

if TYPE_CHECKING:
    from ml_workloads.project import Project
    from stacks.settings import PlatformSettings


def loadable(folder: Path) -> tuple[Project, ...]:
    """Return the projects of a folder whose files are right by themselves; one that is broken hides no other."""
    from ml_workloads.project import PROJECT_FILE, load_project
    from validation.errors import SettingsError

    found: list[Project] = []
    for path in sorted(folder.glob(f"*/{PROJECT_FILE}")):
        try:
            found.append(load_project(path))
        except SettingsError:
            continue
    return tuple(found)


def name_problems(wanted: Iterable[Project], there: Sequence[Project], stacks: Path) -> Mapping[str, str | None]:
    """Return what each project's environments would refuse, by the project's name, None where there is nothing.

    Args:
        wanted: the projects to look at.
        there: all projects.
        stacks: the folder of stack files. An environment whose file cannot be read is left out; without any the
            projects' names are held against each other alone.
    """
    from ml_workloads.project.neighbours import conflicts

    projects = tuple(wanted)
    names = sorted({environment for project in projects for environment in project.environments})
    refused = {name: _refused(name, there, stacks) for name in names}
    plain = list(conflicts(there))
    found: dict[str, str | None] = {}
    for project in projects:
        told: dict[str, list[str]] = {}
        for name in project.environments:
            for said in refused[name] or ():
                told.setdefault(said, []).append(name)
        lines = [f"{', '.join(places)}: {said}" for said, places in told.items()]
        if all(refused[name] is None for name in project.environments):
            lines = plain
        found[project.name] = "\n".join(lines) or None
    return found


def _refused(environment: str, there: Sequence[Project], stacks: Path) -> list[str] | None:
    """Return what the program would refuse, None where its settings cannot be read, which is told elsewhere."""
    from ml_workloads.project.neighbours import conflicts
    from mlp.projects.check_nodes import settings_of
    from validation.errors import SettingsError

    try:
        settings = settings_of(environment, stacks)
    except SettingsError:
        return None
    teams = {name: team.namespaces for name, team in settings.cluster.teams.items()}
    return [*conflicts(there, teams, settings.registry.repositories), *_too_long(environment, settings, there)]


def _too_long(environment: str, settings: PlatformSettings, there: Sequence[Project]) -> Iterator[str]:
    from components.eks.access import team_group
    from components.naming import cluster_name
    from ml_workloads.deployment.quotas import Roles, roles_too_long

    prefix = f"{PROGRAM}-{environment}"
    roles = Roles(
        environment=environment,
        prefix=prefix,
        region=settings.region,
        cluster=cluster_name(prefix),
        groups=frozenset(team_group(name) for name, team in settings.cluster.teams.items() if team.policy != "view"),
    )
    return roles_too_long(roles, [project for project in there if environment in project.environments])
