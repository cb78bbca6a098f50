"""Trial of a whole training on a few rows, which reports known mistakes within seconds and before the real one."""

from __future__ import annotations

import logging
import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from ml_workloads.runtime import trusted_types
from ml_workloads.runtime.contract import schema_of
from ml_workloads.runtime.errors import Ended, PlatformError, ProjectError
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.serving.columns import describe
from ml_workloads.runtime.training import inside, servable
from ml_workloads.runtime.training.calling import call_train, check_train
from ml_workloads.runtime.training.plan import Plan
from ml_workloads.runtime.training.returned import check_returned
from ml_workloads.runtime.training.split import Part, has_missing, inputs_of, split
from ml_workloads.runtime.training.target import check_target

LOG = logging.getLogger(__name__)
ROWS: Final = 100


class ServableError(ProjectError):
    """The model cannot be served. The message names the reason and the fix."""


def preflight(plan: Plan, part: Part) -> None:
    """Try a training on a few rows of a part. Continue if only the project's own code fails on so few rows.

    Such a failure is logged; the real training shows whether it matters.

    Raises:
        ProjectError: a known mistake, in one sentence.
    """
    try:
        _try(plan, sample(part, plan.gate), sample(part, plan.gate), describe(part.inputs))
    except (ProjectError, PlatformError, Ended):
        raise
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {servable.first_line(error)}"
        LOG.warning("the training fails on at most %d rows, going on with all of them: %s", ROWS, said)


def try_training(plan: Plan, checked: pd.DataFrame) -> None:
    """Train on at most 100 rows, and check everything that would fail later. Needs no server and leaves no trace.

    Args:
        plan: The plan with `contract`, `train`, `target`, `gate`, `holdout` and `trusted_types`.
        checked: The data as the contract returned it.

    Raises:
        ProjectError: a known mistake, in one sentence.
        BaseException: any exception that the project's code raises.
    """
    check_objects(plan)
    training, held_out = divide(plan, checked)
    description = describe(inputs_of(checked, plan.target))
    _try(plan, sample(training, plan.gate), sample(held_out, plan.gate), description)


def _try(plan: Plan, part: Part, measured: Part, description: dict[str, Any]) -> None:
    LOG.info("trying the training on %d rows first", len(part.inputs))
    with _random_numbers_kept(), inside.thrown_away():
        model = call_train(plan.train, part, whole=True)
        check_model(plan, model, part, measured, description)


def check_objects(plan: Plan) -> None:
    """Raise ProjectError if the contract, `train` or the list of trusted types is invalid. Reads no data."""
    schema_of(plan.contract)
    check_train(plan.train)
    trusted_types.trusted(plan.trusted_types)


def divide(plan: Plan, checked: pd.DataFrame) -> tuple[Part, Part]:
    """Return the training and the held-out part.

    Raises:
        ProjectError: the target is missing, does not fit the gate, or has too few rows.
    """
    table: Any = checked
    held = table[plan.target] if plan.target in table.columns else None
    if isinstance(held, pd.Series) and not has_missing(held):
        check_target(held, plan.gate)
    return split(checked, plan.target, plan.holdout, classes=not plan.gate.of_numbers)


def check_model(
    plan: Plan, model: Any, trained_on: Part, measured: Part, description: dict[str, Any] | None = None
) -> None:
    """Raise ProjectError if the gate cannot evaluate a model, or a server could not serve it.

    Args:
        plan: The plan with gate and trusted types.
        model: The model as `train` returned it.
        trained_on: The part that `train` was given.
        measured: Rows that the gate would evaluate it on.
        description: Description of the inputs of all rows, as `servable.problems` takes it.
    """
    check_returned(plan.gate, model, measured, trained_on.target)
    found = servable.problems(model, trained_on.inputs, plan.trusted_types, description)
    if found:
        raise ServableError("; ".join(found))


def sample(part: Part, gate: Gate, rows: int = ROWS) -> Part:
    """Return at most `rows` rows. With classes, each class keeps its share and at least two rows where possible."""
    if len(part.inputs) <= rows:
        return Part(inputs=part.inputs.copy(), target=part.target.copy())
    generator = np.random.default_rng(0)
    chosen = generator.permutation(len(part.inputs))[:rows]
    if not gate.of_numbers:
        chosen = _of_each_class(part.target, rows, generator)
    inputs: Any = part.inputs
    places: Sequence[int] = sorted(int(place) for place in chosen)
    return Part(inputs=inputs.iloc[places].copy(), target=part.target.iloc[places].copy())


def _of_each_class(target: Any, rows: int, generator: np.random.Generator) -> Any:
    codes = cast("Any", pd).factorize(target)[0]
    order = generator.permutation(len(codes))
    # Number the rows of each class. The first two rows of each class come before all others.
    classes: Any = pd.Series(codes[order])
    number = classes.groupby(codes[order]).cumcount().to_numpy()
    return order[np.argsort(number >= 2, kind="stable")][:rows]


@contextmanager
def _random_numbers_kept() -> Generator[None]:
    """Restore the random state, so that the real training gets the same random numbers as without the trial."""
    before, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(of_numpy)
