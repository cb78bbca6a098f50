"""Checks that a trained model can be served: it can be saved, loaded again and called with JSON requests."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import skops.io as skops
from skops.io.exceptions import UnsupportedTypeException

from ml_workloads.runtime import trusted_types
from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.serving.columns import (
    INPUTS,
    MAX_ROWS,
    SignatureError,
    columns_of,
    describe,
    instances,
    request_model,
    table,
)
from ml_workloads.runtime.serving.mlflow_registry import plain

ROWS: Final = min(100, MAX_ROWS)
"""Number of input rows in the request of the check."""


def problems(
    model: Any, inputs: pd.DataFrame, trusted: Sequence[str], description: dict[str, Any] | None = None
) -> tuple[str, ...]:
    """Return the reasons why a fitted model cannot be served, as sentences with the fix; empty if it can be.

    Args:
        model: The model as `train` returned it.
        inputs: The table that it was trained on, or a part of it.
        trusted: The project's `training.trusted_types`.
        description: Description of the whole table that `inputs` is a part of, because a part may hold no value of a
            column that is mostly missing. None describes `inputs`.

    Raises:
        ProjectError: `trusted` names a type that no project may trust.
    """
    found: list[str] = []
    try:
        description = describe(inputs) if description is None else description
    except SignatureError as error:
        return (str(error),)
    loaded = None
    try:
        loaded = load(model, trusted)
    except NotSavableError as error:
        found.append(str(error))
    if loaded is not None:
        found.extend(request_problems(model, loaded, inputs.head(ROWS), description))
    return tuple(found)


class NotSavableError(ProjectError):
    """A model cannot be saved and loaded again with trusted types only. The message says what to write instead."""


def load(model: Any, trusted: Sequence[str]) -> Any:
    """Save a model, load it again with only trusted types, and return it.

    Raises:
        NotSavableError: It holds an object that cannot be saved, or a type that is not trusted.
    """
    kind = type(model).__name__
    try:
        saved = trusted_types.save(model)
        refuse(kind, trusted_types.untrusted(saved, trusted))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return skops.loads(saved, trusted=trusted_types.needed(saved, trusted))
    except ProjectError:
        raise
    except UnsupportedTypeException as error:
        raise NotSavableError(
            f"the model ({kind}) cannot be saved: {first_line(error)} Use another estimator."
        ) from None
    except Exception as error:
        raise NotSavableError(
            f"the model ({kind}) cannot be saved by skops and loaded again ({type(error).__name__}: "
            f"{first_line(error)}); keep only numbers, text, arrays and scikit-learn objects in its attributes"
        ) from None


def refuse(kind: str, unknown: Sequence[str]) -> None:
    """Raise NotSavableError with the fix if any type is unknown."""
    if unknown:
        raise NotSavableError(_way_out(kind, unknown))


def _way_out(kind: str, unknown: Sequence[str]) -> str:
    named = trusted_types.plain(unknown)
    local = [name for name in unknown if "<" in name]
    if local:
        return (
            f"the model ({kind}) holds a lambda or a local function, {trusted_types.plain(local)}, which cannot be "
            "saved; define it at the top of a module of the project and add module.name to training.trusted_types"
        )
    try:
        trusted_types.trusted(unknown)
    except ProjectError as error:
        return (
            f"the model ({kind}) holds {named}, which no project may trust because it can run any code or is unknown; "
            "use a function or class of the project's own module instead and add it to training.trusted_types "
            f"({error})"
        )
    return (
        f"the model ({kind}) holds {named}, which is not on the list of trusted types; if this is code that the "
        f"project wants to run, write into project.yaml: training.trusted_types: {json.dumps(list(unknown))}"
    )


def request_problems(model: Any, loaded: Any, rows: pd.DataFrame, description: dict[str, Any]) -> Iterator[str]:
    """Yield the differences between calling a model directly and calling its saved and loaded copy with a request.

    Args:
        model: The model that is called with `rows`.
        loaded: The same model as a server loads it; it is called with the rows of a JSON request.
        rows: Inputs, at most as many as a request may have.
        description: Description of the inputs of all rows.
    """
    columns = columns_of(None, {INPUTS: description})
    try:
        request = request_model(columns).model_validate_json(json.dumps({"instances": instances(rows, columns)}))
        asked = table(request, columns)
        direct = model.predict(rows)
        answered = loaded.predict(asked)
    except Exception as error:
        yield (
            f"the model cannot predict rows that came in a JSON request ({type(error).__name__}: {first_line(error)}); "
            "predict must take the same table as train"
        )
        return
    if not _same(direct, answered):
        yield (
            "the model answers otherwise after it was saved and loaded, or for rows that came in a JSON request; "
            "predict must depend on nothing but the fitted attributes and the columns"
        )
    try:
        json.dumps(plain(answered), allow_nan=False)
    except (TypeError, ValueError) as error:
        yield (
            f"the model's predictions cannot be written as JSON ({first_line(error)}); "
            "predict must return numbers, text or truth values without NaN"
        )


def _same(one: Any, other: Any) -> bool:
    first, second = np.asarray(one), np.asarray(other)
    if first.shape != second.shape:
        return False
    if first.dtype.kind in "fc" and second.dtype.kind in "fc":
        return bool(np.allclose(first, second, rtol=1e-6, atol=1e-9, equal_nan=True))
    return bool(np.array_equal(first, second))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, at most 200 characters."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    return lines[0][:200]
