"""Metrics compared with values computed by hand."""

from typing import Any

import numpy as np
import pytest

from ml_workloads.runtime.evaluation import evaluate_classifier, evaluate_regressor, gaps


class Fixed:
    """A model with prepared answers."""

    def __init__(self, classes: list[Any], predicted: list[Any], shares: list[list[float]] | None = None) -> None:
        self.classes_ = np.array(classes)
        self._predicted = np.array(predicted)
        if shares is not None:
            self.predict_proba = lambda _inputs: np.array(shares)

    def predict(self, _inputs: Any) -> Any:
        return self._predicted


NOTHING = np.zeros((4, 1))


def test_two_classes_are_measured_for_the_second_one():
    model = Fixed(["leaves", "stays"], ["stays", "stays", "leaves", "stays"], [[0.2, 0.8]] * 2 + [[0.9, 0.1]] * 2)
    found = evaluate_classifier(model, NOTHING, ["stays", "stays", "stays", "leaves"])
    # Of three that stay two are found, of three that are said to stay two do.
    assert found["accuracy"] == 0.5
    assert found["precision"] == found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 / 3)
    # Of three pairs two are in order and one is equal.
    assert found["roc_auc"] == pytest.approx(2.5 / 3)


def test_each_of_several_classes_counts_the_same():
    found = evaluate_classifier(Fixed([0, 1, 2], [0, 0, 1, 0]), NOTHING, [0, 0, 1, 2])
    assert found["recall"] == pytest.approx((1 + 1 + 0) / 3)
    assert found["precision"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert "roc_auc" not in found


def test_a_class_that_the_held_out_data_lacks_leaves_the_curve_out():
    shares = [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]
    assert "roc_auc" not in evaluate_classifier(Fixed([0, 1, 2], [0, 0, 1, 1], shares), NOTHING, [0, 0, 1, 1])
    assert evaluate_classifier(Fixed([0, 1, 2], [0, 0, 1, 1], shares), NOTHING, [0, 0, 1, 2])["roc_auc"] > 0.5


def test_one_class_tells_nothing():
    with pytest.raises(ValueError, match="rows of two classes at least, got 4 of 1"):
        evaluate_classifier(Fixed([0, 1], [0, 0, 0, 0]), NOTHING, [0, 0, 0, 0])


def test_errors_of_numbers_are_in_their_unit():
    found = evaluate_regressor(Fixed([], [1.0, 2.0, 3.0, 8.0]), NOTHING, [1.0, 2.0, 3.0, 4.0])
    # Squared errors sum up to 16, squared distances from the mean to 5.
    assert found == {"rmse": 2.0, "mae": 1.0, "r2": pytest.approx(1 - 16 / 5)}


def test_a_model_with_decisions_only_has_a_curve_and_one_without_classes_takes_those_of_the_truth():
    class Decides:
        def predict(self, _inputs: Any) -> Any:
            return np.array(["no", "no", "yes", "yes"])

        def decision_function(self, _inputs: Any) -> Any:
            return np.array([-1.0, 0.5, 0.2, 1.0])

    found = evaluate_classifier(Decides(), NOTHING, ["no", "no", "yes", "yes"])
    assert found["f1"] == 1.0
    assert found["roc_auc"] == 0.75


def test_gaps_show_what_was_learnt_by_heart():
    assert gaps({"f1": 1.0, "accuracy": 0.9}, {"f1": 0.75}) == {"f1_gap": 0.25}
