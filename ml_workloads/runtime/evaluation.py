"""Evaluation of a model on data that it was not trained on.

Averages over classes are macro averages: each class counts the same, however rare it is.
https://scikit-learn.org/stable/modules/model_evaluation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import sklearn.metrics

metrics: Any = sklearn.metrics  # has no types
Frame = pd.DataFrame | np.ndarray[Any, Any]


def evaluate_classifier(model: Any, inputs: Frame, truth: Any) -> Mapping[str, float]:
    """Return accuracy, precision, recall and f1, each 0 to 1, and roc_auc if the model returns scores.

    Scores come from `predict_proba`, or for two classes from `decision_function`, whose columns are in the order of
    `model.classes_`. With two classes the second class of the sorted truth is the positive one, so the model does not
    choose it.

    Args:
        model: a classifier with scikit-learn's interface.
        inputs: rows that the model was not trained on.
        truth: the class of each row.

    Raises:
        ValueError: there are no rows, or only rows of one class.
    """
    expected = np.asarray(truth)
    present = np.unique(expected)
    if len(present) < 2:
        raise ValueError(f"evaluation needs rows of two classes at least, got {len(expected)} of {len(present)}")
    predicted = model.predict(inputs)
    average: dict[str, Any] = {"average": "macro", "zero_division": 0.0}
    classes = np.asarray(getattr(model, "classes_", present))
    if len(classes) == len(present) == 2:
        average = {"average": "binary", "pos_label": present[1], "zero_division": 0.0}
    found = {
        "accuracy": metrics.accuracy_score(expected, predicted),
        "precision": metrics.precision_score(expected, predicted, **average),
        "recall": metrics.recall_score(expected, predicted, **average),
        "f1": metrics.f1_score(expected, predicted, **average),
    }
    curve = _roc_auc(model, inputs, expected, classes)
    if curve is not None:
        found["roc_auc"] = curve
    return {name: float(value) for name, value in found.items()}


def _roc_auc(model: Any, inputs: Frame, expected: Any, classes: Any) -> Any:
    """Return the area under the ROC curve.

    Return None if the model returns no scores, or if the rows lack one of several classes.
    """
    present = np.unique(expected)
    if set(present.tolist()) - set(classes.tolist()):
        return None
    if hasattr(model, "predict_proba"):
        shares = np.asarray(model.predict_proba(inputs))
        if len(classes) == 2:
            positive = classes.tolist().index(present[1])
            return metrics.roc_auc_score(expected == present[1], shares[:, positive])
        if len(present) == len(classes):
            order = np.argsort(classes)
            return metrics.roc_auc_score(
                expected, shares[:, order], multi_class="ovr", average="macro", labels=classes[order]
            )
    elif hasattr(model, "decision_function") and len(classes) == 2:
        scores = np.asarray(model.decision_function(inputs))
        return metrics.roc_auc_score(expected == classes[1], scores)
    return None


def evaluate_regressor(model: Any, inputs: Frame, truth: Any) -> Mapping[str, float]:
    """Return rmse and mae, in the unit of the target, and r2, which is at most 1 and has no lower limit."""
    predicted = model.predict(inputs)
    return {
        "rmse": float(metrics.root_mean_squared_error(truth, predicted)),
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
        "r2": float(metrics.r2_score(truth, predicted)),
    }


def gaps(training: Mapping[str, float], validation: Mapping[str, float]) -> Mapping[str, float]:
    """Return the difference between the training and the validation value of each metric, as `<metric>_gap`.

    A large gap indicates overfitting.
    """
    return {f"{name}_gap": training[name] - validation[name] for name in training if name in validation}
