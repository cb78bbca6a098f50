"""Check of all projects together for errors that `pulumi up` would raise: name conflicts, and roles that are too long.

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
    """Return the valid projects of a folder; an invalid project is skipped and does not hide the others."""
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
    """Return the errors that each project's environments would raise, by the project's name; None if there are none.

    Args:
        wanted: the projects to check.
        there: all projects.
        stacks: folder of the stack files. An environment with an unreadable file is skipped; if none is left, only the
            names of the projects are compared with each other.
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
    """Return the errors that the program would raise; None if its settings are unreadable.

    Another check reports unreadable settings.
    """
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
        groups=frozenset(team_group(name) for name, team in settings.cluster.teams.items() if team.changes_things),
    )
    return roles_too_long(roles, [project for project in there if environment in project.environments])
