"""Calls a project's `train`, and reports known mistakes in one sentence each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

import pandas as pd

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.training.split import Part

Train = Callable[[pd.DataFrame, Any], Any]
EXPECTED: Final = "training.entrypoint must name a function train(inputs, target) that returns a fitted model"


class TrainError(ProjectError):
    """The project's `train` cannot be called, changes its inputs or reads the target from them."""


def check_train(train: Any) -> None:
    """Raise TrainError if `train` is no plain function of two arguments. The function itself is not called."""
    name = _name(train)
    if not callable(train):
        raise TrainError(f"{name} is a {type(train).__name__}, which cannot be called; {EXPECTED}")
    if isinstance(train, type):
        raise TrainError(f"{name} is a class; {EXPECTED}")
    # Check the function that a decorator returns, not the one that it wraps: the decorator may add an argument.
    if inspect.iscoroutinefunction(train) or inspect.isasyncgenfunction(train):
        raise TrainError(f"{name} is an async function; write def instead of async def")
    if inspect.isgeneratorfunction(train):
        raise TrainError(f"{name} is a generator, because it has a yield; {EXPECTED}")
    try:
        signature = inspect.signature(train, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise TrainError(
            f"{name}{signature} cannot be called with two arguments, inputs and target ({error}); {EXPECTED}"
        ) from None


def call_train(train: Train, part: Part, *, whole: bool = False) -> Any:
    """Call `train` with a part of the data and return its result.

    Args:
        train: The project's function.
        part: The part. It is not copied, so a `train` that changes it is rejected.
        whole: Compare every value afterwards, and not only columns, types and number of rows.

    Raises:
        TrainError: `train` reads the target from its inputs, or changes its arguments.
        Exception: any other exception of the project's code.
    """
    before = part.inputs.copy() if whole else part.inputs.head(0).copy()
    rows, target = len(part.inputs), part.target.copy() if whole else None
    try:
        model = train(part.inputs, part.target)
    except Exception as error:
        name = str(part.target.name)
        if misses(error, name):
            raise TrainError(
                f"{_name(train)} reads the target {name!r} from its inputs, which do not hold it; "
                "use the second argument"
            ) from None
        raise
    changes = list(_changes(before, rows, part.inputs, whole=whole))
    if target is not None and not part.target.equals(target):
        changes.append("other values in the target")
    if changes:
        raise TrainError(
            f"{_name(train)} changes the table that it is given ({', '.join(changes[:5])}), so that requests would "
            "differ from it; begin with inputs = inputs.copy(), and do in the model what a request needs too"
        )
    return model


def _changes(before: Any, rows: int, after: Any, *, whole: bool) -> Iterator[str]:
    added = [str(name) for name in after.columns if name not in before.columns]
    gone = [str(name) for name in before.columns if name not in after.columns]
    yield from (f"new column {name}" for name in added)
    yield from (f"no column {name}" for name in gone)
    if added or gone:
        return
    if list(after.columns) != list(before.columns):
        yield "other order of columns"
        return
    if len(after) != rows:
        yield f"{len(after)} rows instead of {rows}"
        return
    for name in before.columns:
        if after[name].dtype != before[name].dtype or (whole and not after[name].equals(before[name])):
            yield f"other values in {name}"


def misses(error: BaseException, target: str) -> bool:
    """Return whether an error, or its cause, says that a table has no column of the target's name."""
    return any(_misses(each, target) for each in _chain(error))


def _misses(error: BaseException, target: str) -> bool:
    text = str(error)
    if isinstance(error, KeyError):
        return bool(error.args) and (error.args[0] == target or f"['{target}']" in text)
    if isinstance(error, AttributeError):
        return error.name == target and isinstance(error.obj, pd.DataFrame)
    if isinstance(error, NameError):
        return type(error).__name__ == "UndefinedVariableError" and repr(target) in text
    return isinstance(error, ValueError) and "column" in text and f"{{{target!r}}}" in text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _name(train: Any) -> str:
    return str(getattr(train, "__qualname__", None) or type(train).__name__)
