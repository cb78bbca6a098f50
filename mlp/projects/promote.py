"""`mlp promote` and `mlp rollback`: move the aliases staging and production of a project's model."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mlp.console import Json, PlainError, errors, plain_errors
from mlp.environments import Env
from mlp.projects.session import ProjectArgument, Session, opened
from mlp.projects.show import number, print_json, print_table, tell

if TYPE_CHECKING:
    from ml_workloads.promotion import ModelRegistry, Promotion
    from ml_workloads.runtime.gate import Gate
    from mlp.projects.lease import Held

Alias = Literal["staging", "production"]


def promote(
    project: ProjectArgument,
    to: Annotated[Alias, typer.Option("--to", help="The alias: production is what answers requests.")],
    version: Annotated[
        int | None,
        typer.Option("--version", min=1, help="Which version; else the one that has the alias below (dev, staging)."),
    ] = None,
    env: Env = "dev",
    as_json: Json = False,
) -> None:
    """Move an alias to another version if the gate allows it; show the metrics, and the reasons of a rejection.

    Without --version, staging takes the version with the alias dev, which passed the gate of training, and production
    takes the one with the alias staging. The gate of project.yaml compares the version with the one that has the alias
    now. Exit code 1 if the gate rejects it.
    """
    with plain_errors(), opened(project, env) as session, _alone(session) as (registry, lease):
        from ml_workloads.promotion import carry_out, consider

        with errors.status("Reading the numbers"):
            promotion = consider(registry, gate_of(session), to, str(version) if version else None)
        _warn(promotion.notes)
        moved = promotion.allowed and not promotion.already
        move = None
        if moved:
            lease.renew()
            move = carry_out(registry, promotion, session.aws.caller, datetime.now(UTC))
        document = {"project": project, "environment": env, **promotion.as_dict(), "moved": moved}
        if as_json:
            print_json({**document, "move": move.as_dict() if move else None})
        elif promotion.already:
            tell(f"Version {promotion.version} of {project} is {to} already; nothing was changed.")
        else:
            show(project, promotion)
            if moved:
                tell(f"Version {promotion.version} of {project} is {to} now{_was(promotion.before)}.")
                tell(_next(project, env, to))
        if not promotion.allowed:
            raise PlainError(refusal(project, promotion))


def rollback(
    project: ProjectArgument,
    alias: Annotated[Alias, typer.Option("--alias", help="Which alias goes back.")] = "production",
    env: Env = "dev",
    as_json: Json = False,
) -> None:
    """Move an alias back to its previous version; a second call goes back two versions.

    Servers follow within 30 seconds.
    """
    with plain_errors(), opened(project, env) as session, _alone(session) as (registry, lease):
        from ml_workloads.promotion import consider_rollback, roll_back

        found = consider_rollback(registry, alias)
        _warn(found.notes)
        lease.renew()
        move = roll_back(registry, found, session.aws.caller, datetime.now(UTC))
        if as_json:
            print_json({"project": project, "environment": env, **found.as_dict(), "move": move.as_dict()})
        else:
            tell(f"Version {found.version} of {project} is {alias} again{_was(found.before)}.")
            if alias == "production":
                tell(f"Servers follow within 30 seconds: mlp status {project} --env {env}")


@contextmanager
def plain_refusals() -> Generator[None]:
    from ml_workloads.promotion import PromotionError
    from ml_workloads.promotion.moves import RecordError

    try:
        yield
    except (PromotionError, RecordError) as error:
        raise PlainError(str(error)) from error


@contextmanager
def _alone(session: Session) -> Generator[tuple[ModelRegistry, Held]]:
    """Return the registry, locked against other promotions of this project."""
    from ml_workloads.project.deployment_names import PROMOTION_LEASE
    from ml_workloads.promotion import ModelRegistry
    from mlp.projects.lease import held
    from mlp.projects.tracking import tracking

    with ExitStack() as stack:
        with errors.status("Asking MLflow"):
            client = stack.enter_context(tracking(session))
            who = session.aws.caller
            lease = stack.enter_context(held(session.cluster, session.namespace, PROMOTION_LEASE, who))
            stack.enter_context(plain_refusals())
        yield ModelRegistry(client, session.name), lease


def gate_of(session: Session) -> Gate:
    """Return the gate of project.yaml."""
    from ml_workloads.runtime.gate import Gate

    settings = session.place.project.training.gate
    return Gate(metric=settings.metric, bound=settings.bound, max_regression=settings.max_regression)


def show(project: str, promotion: Promotion) -> None:
    gate, verdict = promotion.gate, promotion.verdict
    wanted = "at most" if gate.less_is_better else "at least"
    rows: list[tuple[str, Any]] = [
        ("version", promotion.version),
        ("run", promotion.run_id),
        (gate.metric, number(verdict.value if verdict else None)),
        ("must be", f"{wanted} {number(gate.bound)}"),
        (
            f"{gate.metric} of version {promotion.compared_with}" if promotion.compared_with else "nothing to compare",
            number(verdict.incumbent if verdict else None),
        ),
        ("may be worse by", number(gate.max_regression)),
        ("gate", "passed" if promotion.allowed else "refused"),
    ]
    print_table(f"{project} to {promotion.target}", ("What", "Value"), rows)


def refusal(project: str, promotion: Promotion) -> str:
    reasons = promotion.verdict.reasons if promotion.verdict else ()
    lines = [f"version {promotion.version} of {project} was not promoted to {promotion.target}:"]
    return "\n".join([*lines, *(f"  {reason}" for reason in reasons)])


def _warn(notes: tuple[str, ...]) -> None:
    for note in notes:
        errors.print(f"note: {note}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def _was(before: str | None) -> str:
    return f", before it was version {before}" if before else ", the first one"


def _next(project: str, env: str, alias: Alias) -> str:
    if alias == "staging":
        return f"Next: mlp promote {project} --env {env} --to production"
    return (
        f"Servers follow within 30 seconds: mlp status {project} --env {env}; back: mlp rollback {project} --env {env}"
    )
