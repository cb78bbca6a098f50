"""Rules over all projects and teams together: none may get access to resources of another. Pure functions.

A project's namespace is `<team>-<project>`, and its team works in `<team>-*`. Different pairs can give one namespace
(`data` and `science-credit`, `data-science` and `credit`), and one team's pattern can cover another team's namespaces.
Everybody who may work in a namespace has a shell in its pods, and so the pods' AWS permissions.
https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from components.naming import slug
from ml_workloads.project.deployment_names import repository
from ml_workloads.project.project import Project
from ml_workloads.project.reserved import overlap, taken_by, team_name

Teams = Mapping[str, Sequence[str]]


def conflicts(
    projects: Iterable[Project], teams: Teams | None = None, repositories: Iterable[str] = ()
) -> Iterator[str]:
    """Yield one line for each conflict between the names of these projects.

    Args:
        projects: the projects to compare.
        teams: teams of an environment's settings, with the patterns of their namespaces.
        repositories: repositories of the environment's registry. Without teams and repositories, only the project files
            are checked.
    """
    found, given = tuple(projects), teams or {}
    yield from _namespaces(found)
    yield from _team_names(found, given)
    for team, patterns in given.items():
        yield from _patterns(team, patterns, found, given)
    yield from _repositories(found, repositories)


def _namespaces(projects: Sequence[Project]) -> Iterator[str]:
    for one, other in combinations(projects, 2):
        if one.namespace == other.namespace:
            yield (
                f"projects {one.name} (team {one.team}) and {other.name} (team {other.team}): both would have the "
                f"namespace {one.namespace}; change name or team in one of their files"
            )


def _team_names(projects: Sequence[Project], teams: Teams) -> Iterator[str]:
    """Yield a line for each reserved team name, and for each two teams whose namespaces overlap.

    Only the names in `teams` are checked against the reserved names; the schema of `project.yaml` checks a project's
    team.
    """
    for team in teams:
        try:
            team_name(team)
        except ValueError as error:
            yield f"cluster.teams.{team}: {error}"
    for one, other in combinations(sorted({*teams, *(project.team for project in projects)}), 2):
        # Sorted order: the shorter name comes first.
        if other.startswith(f"{one}-"):
            yield (
                f"teams {_told(one, projects, teams)} and {_told(other, projects, teams)}: {one}-* is what {one} works "
                f"in, and it covers {other} and {other}-*; rename one of them, for example {other.replace('-', '')}"
            )


def _told(team: str, projects: Sequence[Project], teams: Teams) -> str:
    """Return a team's name with the places where it is written."""
    places = [f"project {project.name}" for project in projects if project.team == team]
    if team in teams:
        places.append("cluster.teams of the settings")
    return f"{team} ({', '.join(places)})"


def _patterns(team: str, patterns: Sequence[str], projects: Sequence[Project], teams: Teams) -> Iterator[str]:
    others = sorted({*teams, *(project.team for project in projects)} - {team})
    for pattern in patterns:
        field = f"cluster.teams.{team}.namespaces: got {pattern!r}"
        taken = taken_by(pattern)
        if taken:
            yield f"{field}; write less, it covers {', '.join(taken)}, which is not the team's"
        for other in others:
            # Two names of which one begins with the other are already reported above.
            if overlap(pattern, f"{other}-*") and not _begins(team, other) and not _begins(other, team):
                yield f"{field}; write less, such as {team}-*, it covers namespaces of team {other}, {other}-*"


def _begins(one: str, other: str) -> bool:
    return other.startswith(f"{one}-")


def _repositories(projects: Sequence[Project], repositories: Iterable[str]) -> Iterator[str]:
    """Compare slugs, because repositories become resources whose names must differ in more than punctuation."""
    for name in repositories:
        for project in projects:
            if slug(name) == slug(repository(project.name)):
                yield (
                    f"registry.repositories: got {name!r}; remove it or rename it, {repository(project.name)} is for "
                    f"the images of project {project.name}"
                )
