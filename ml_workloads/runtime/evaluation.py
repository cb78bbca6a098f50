"""How good a model is, on data that it was not trained on.

Averages over classes are macro averages: each class counts the same, however rare it is.
https://scikit-learn.org/stable/modules/model_evaluation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn import metrics

Frame = pd.DataFrame | np.ndarray[Any, Any]


def evaluate_classifier(model: Any, inputs: Frame, truth: Any) -> Mapping[str, float]:
    """accuracy, precision, recall, f1, each 0 to 1; and roc_auc when the model has `predict_proba`.

    Of two classes the second in `model.classes_` is the positive one.

    Raises:
        ValueError: there is nothing to evaluate on, or only one class of it.
    """
    expected = np.asarray(truth)
    present = np.unique(expected)
    if len(present) < 2:
        raise ValueError(f"evaluation needs rows of two classes at least, got {len(expected)} of {len(present)}")
    predicted = model.predict(inputs)
    average: dict[str, Any] = {"average": "macro", "zero_division": 0.0}
    if len(model.classes_) == 2:
        average = {"average": "binary", "pos_label": model.classes_[1], "zero_division": 0.0}
    found = {
        "accuracy": metrics.accuracy_score(expected, predicted),
        "precision": metrics.precision_score(expected, predicted, **average),
        "recall": metrics.recall_score(expected, predicted, **average),
        "f1": metrics.f1_score(expected, predicted, **average),
    }
    if hasattr(model, "predict_proba"):
        shares = model.predict_proba(inputs)
        if len(model.classes_) == 2:
            found["roc_auc"] = metrics.roc_auc_score(expected == model.classes_[1], shares[:, 1])
        elif len(present) == len(model.classes_):
            found["roc_auc"] = metrics.roc_auc_score(
                expected, shares, multi_class="ovr", average="macro", labels=model.classes_
            )
    return {name: float(value) for name, value in found.items()}


def evaluate_regressor(model: Any, inputs: Frame, truth: Any) -> Mapping[str, float]:
    """rmse and mae, in the unit of the target."""
    predicted = model.predict(inputs)
    return {
        "rmse": float(metrics.root_mean_squared_error(truth, predicted)),
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
    }


def gaps(training: Mapping[str, float], validation: Mapping[str, float]) -> Mapping[str, float]:
    """By how much each metric is higher in training, as `<metric>_gap`; far from 0, a model has learnt by heart."""
    return {f"{name}_gap": training[name] - validation[name] for name in training if name in validation}
