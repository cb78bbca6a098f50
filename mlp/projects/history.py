"""`mlp runs` and `mlp models`: training runs of a project, model versions, and moves of their aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlp.console import Json, errors, plain_errors
from mlp.environments import Env
from mlp.projects.session import ProjectArgument, opened
from mlp.projects.show import duration, moment, number, print_json, print_table, short, tell

if TYPE_CHECKING:
    from ml_workloads.promotion import ModelRegistry, Move
    from mlp.projects.runs import ModelVersion, Run

Most = Annotated[int, typer.Option("--most", "-n", min=1, max=1000, help="How many at the most, newest first.")]


def runs(project: ProjectArgument, env: Env = "dev", most: Most = 20, as_json: Json = False) -> None:
    """List a project's training runs: start, duration, gate metric, revision and data; for failed runs the reason.

    A run that was killed could not report it to MLflow: the command records it there as failed, with the reason from
    its Job.
    """
    with plain_errors(), opened(project, env) as session:
        from mlp.projects.abandoned import settle
        from mlp.projects.runs import as_document, runs_of
        from mlp.projects.tracking import tracking

        with errors.status("Asking MLflow"), tracking(session) as client:
            found = settle(session, client, runs_of(client, project, most))
        if as_json:
            print_json([as_document(each) for each in found])
        elif not found:
            tell(f"{project} has no runs in {env} yet: mlp train {project} --env {env}")
        else:
            metric = session.place.project.training.gate.metric
            columns = ("Job", "Status", "Started (UTC)", "Took", metric, "Revision", "Data", "Run")
            print_table(f"Runs of {project} in {env}", columns, (run_row(each, metric) for each in found))
            for each in found:
                if each.failure:
                    tell(f"{each.job or each.run_id}: {each.failure}")


def models(
    project: ProjectArgument,
    env: Env = "dev",
    history: Annotated[
        bool, typer.Option("--history", help="The moves of the aliases instead: who, when, from where, what numbers.")
    ] = False,
    most: Most = 20,
    as_json: Json = False,
) -> None:
    """List the versions of a project's model: aliases, gate metric, gate result, run, and time of creation."""
    with plain_errors(), opened(project, env) as session:
        from mlp.projects.tracking import tracking

        metric = session.place.project.training.gate.metric
        if history:
            from ml_workloads.promotion import ModelRegistry
            from mlp.projects.promote import plain_refusals

            with errors.status("Asking MLflow"), tracking(session) as client, plain_refusals():
                moves, notes = moves_of(ModelRegistry(client, project))
            _show_moves(project, env, moves, notes, as_json=as_json)
            return
        from mlp.projects.runs import as_document, versions_of

        with errors.status("Asking MLflow"), tracking(session) as client:
            found = versions_of(client, project, most)
        if as_json:
            print_json([as_document(each) for each in found])
        elif not found:
            tell(f"{project} has no model in {env} yet: mlp train {project} --env {env}")
        else:
            columns = ("Version", "Aliases", metric, "Gate", "Created (UTC)", "Run")
            print_table(f"Versions of {project} in {env}", columns, (version_row(each, metric) for each in found))


def run_row(run: Run, metric: str) -> tuple[object, ...]:
    value = number(run.metrics.get(metric))
    digests = (short(run.revision), short(run.data_digest), short(run.run_id))
    return (run.job, run.status, moment(run.started), duration(run.seconds), value, *digests)


def version_row(version: ModelVersion, metric: str) -> tuple[object, ...]:
    value = number(version.metrics.get(metric))
    return (
        version.version,
        ", ".join(version.aliases) or None,
        value,
        version.gate,
        moment(version.created),
        short(version.run_id),
    )


def moves_of(registry: ModelRegistry) -> tuple[list[Move], list[str]]:
    """Return the moves of all aliases, last first, and notes about aliases that do not match their recorded moves."""
    from ml_workloads.promotion.ladder import PROMOTED_ALIASES, moved_by_hand, replay
    from ml_workloads.promotion.moves import read

    standing = registry.standing()
    moves: list[Move] = []
    notes: list[str] = []
    for alias in PROMOTED_ALIASES:
        found = read(standing.tags, alias)
        moves += found
        current = standing.aliases.get(alias)
        if by_hand := moved_by_hand(alias, replay(found), current):
            writer = registry.last_write(alias, current) if current else None
            did = f"; the account {writer.account} did it on {moment(writer.at)} (UTC)" if writer else ""
            notes.append(by_hand + did)
    return sorted(moves, key=lambda move: move.at, reverse=True), notes


def _show_moves(project: str, env: str, moves: list[Move], notes: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"moves": [move.as_dict() for move in moves], "notes": notes})
        return
    if moves:
        columns = ("When (UTC)", "What", "Alias", "From", "To", "Numbers", "Who", "Signed in as")
        print_table(f"Moves of {project} in {env}", columns, (move_row(move) for move in moves))
    else:
        tell(f"No alias of {project} was moved in {env} yet: mlp promote {project} --env {env} --to staging")
    for note in notes:
        errors.print(f"note: {note}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def move_row(move: Move) -> tuple[object, ...]:
    gate: Any = move.gate
    numbers = f"{gate.metric} {number(gate.value)}, before {number(gate.incumbent)}" if gate else None
    return (moment(move.at), move.kind, move.alias, move.came_from, move.version, numbers, move.by, move.account)
