"""Checks the object that a project's `train` returned, and reports each known mistake in one sentence."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.training.calling import misses
from ml_workloads.runtime.training.split import Part

_WANTED: Final = "return the fitted model, an object with predict"


class ReturnError(ProjectError):
    """The object that `train` returned is no model, or not one that the gate can evaluate."""


def check_returned(gate: Gate, model: Any, part: Part, classes: Any) -> None:
    """Raise ReturnError if the gate cannot evaluate `model`.

    Args:
        gate: The gate that evaluates the model.
        model: The model as `train` returned it.
        part: Rows to predict.
        classes: All values of the target, of which a classifier predicts one for each row.
    """
    _is_model(model)
    inputs = part.inputs.copy()
    predicted = _predictions(model, inputs, str(part.target.name))
    if not inputs.equals(part.inputs):
        raise ReturnError("predict changes the table that it is given; begin it with inputs = inputs.copy()")
    if gate.of_numbers:
        _are_numbers(gate, predicted)
    else:
        known = list(pd.unique(pd.Series(classes)))
        _are_classes(gate, predicted, known)
        _has_scores(gate, model, part.inputs, len(known))


def _is_model(model: Any) -> None:
    kind = type(model).__name__
    if model is None:
        raise ReturnError(f"train returned None, perhaps for lack of a return; {_WANTED}")
    if isinstance(model, type):
        raise ReturnError(f"train returned the class {model.__name__} and no object of it; {_WANTED}")
    if inspect.isawaitable(model):
        if inspect.iscoroutine(model):
            model.close()
        raise ReturnError(f"train returned a {kind} that was not awaited; write def train without async")
    if isinstance(model, tuple | list | set | dict):
        several = cast("Collection[Any]", model)
        held = ", ".join(type(each).__name__ for each in [*several][:5])
        raise ReturnError(f"train returned a {kind} of {len(several)} ({held}); {_WANTED}, alone")
    if not callable(getattr(model, "predict", None)):
        hint = "; GridSearchCV and the like have it only with refit" if hasattr(model, "cv_results_") else ""
        raise ReturnError(f"train returned a {kind}, which has no predict; {_WANTED}{hint}")


def _predictions(model: Any, inputs: pd.DataFrame, target: str) -> np.ndarray[Any, Any]:
    try:
        predicted = model.predict(inputs)
    except NotFittedError:
        raise ReturnError(
            f"train returned a {type(model).__name__} that is not fitted; call fit(inputs, target) before the return"
        ) from None
    except Exception as error:
        if misses(error, target):
            raise ReturnError(
                f"predict reads the target {target!r} from its inputs, which do not hold it; fit without it"
            ) from None
        raise
    try:
        found = np.asarray(predicted)
    except ValueError:
        found = np.asarray([None])
    if found.shape != (len(inputs),):
        flat = "; fit with the target as it is given, with one dimension" if found.shape == (len(inputs), 1) else ""
        raise ReturnError(
            f"predict returned {_shape(predicted, found)} for {len(inputs)} rows; return one value for each row{flat}"
        )
    missing = int(cast("Any", pd).isna(found).sum())
    if missing:
        raise ReturnError(
            f"predict returned NaN or None for {missing} of {len(inputs)} rows; return a value for each row"
        )
    return found


def _shape(predicted: Any, found: np.ndarray[Any, Any]) -> str:
    return f"a {type(predicted).__name__} of shape {found.shape}" if found.ndim else f"a {type(predicted).__name__}"


def _are_numbers(gate: Gate, predicted: np.ndarray[Any, Any]) -> None:
    numbers = _as_numbers(predicted)
    if numbers is None:
        raise ReturnError(
            f"predict returned {_some(predicted)}, but gate.metric {gate.metric} needs numbers; "
            "return a regressor, or use accuracy, f1 or another metric of classes"
        )
    if numbers.dtype.kind == "f" and not bool(np.isfinite(numbers).all()):
        raise ReturnError("predict returned infinite numbers; return finite ones")


def _as_numbers(predicted: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return the values as numbers, or None if they are none. Text is no number, even if it can be parsed as one."""
    if predicted.dtype.kind in "biuf":
        return predicted
    if any(isinstance(value, str | bytes) for value in predicted.tolist()):
        return None
    try:
        return predicted.astype(float)
    except (TypeError, ValueError):
        return None


def _are_classes(gate: Gate, predicted: np.ndarray[Any, Any], classes: list[Any]) -> None:
    known = set(classes)
    unknown = np.asarray([value for value in dict.fromkeys(predicted.tolist()) if value not in known], dtype=object)
    if not len(unknown):
        return
    if predicted.dtype.kind == "f":
        raise ReturnError(
            f"predict returned numbers such as {unknown[0]:.4g}, but gate.metric {gate.metric} needs one of the "
            f"target's {len(known)} classes; return a classifier, or use rmse, mae or r2"
        )
    raise ReturnError(
        f"predict returned {_some(unknown)}, which the target does not have (it has {_some(classes)}); "
        "fit with the target as it is given, without encoding it"
    )


def _has_scores(gate: Gate, model: Any, inputs: pd.DataFrame, classes: int) -> None:
    if gate.metric != "roc_auc":
        return
    if hasattr(model, "predict_proba"):
        shape = np.shape(model.predict_proba(inputs))
        if shape != (len(inputs), classes):
            raise ReturnError(
                f"predict_proba returned an array of shape {shape}; return ({len(inputs)}, {classes}), "
                "one share for each row and class"
            )
    elif not (classes == 2 and hasattr(model, "decision_function")):
        raise ReturnError(
            f"gate.metric roc_auc needs predict_proba, which {type(model).__name__} does not have; "
            "use a model with it, such as CalibratedClassifierCV around this one, or accuracy or f1"
        )


def _some(values: Any) -> str:
    """Return at most five different values."""
    different = list(dict.fromkeys(np.asarray(values, dtype=object).tolist()))
    more = f" and {len(different) - 5} more" if len(different) > 5 else ""
    return ", ".join(repr(value)[:40] for value in different[:5]) + more
