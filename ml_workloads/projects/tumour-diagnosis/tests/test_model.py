"""The model passes the quality gate and does not overfit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tumour_diagnosis.dataset import tumours
from tumour_diagnosis.training import train

from ml_workloads.project import load_project
from ml_workloads.runtime.evaluation import evaluate_classifier, gaps
from ml_workloads.runtime.objects import load_object
from ml_workloads.runtime.training.split import Part, split

PROJECT = load_project(Path(__file__).parents[1] / "project.yaml")


@pytest.fixture(scope="module")
def parts() -> tuple[Part, Part]:
    return split(tumours(), PROJECT.data.target, PROJECT.training.holdout, classes=True)


def test_what_the_project_names_exists():
    assert load_object(PROJECT.training.entrypoint) is train
    assert load_object(PROJECT.data.contract).columns


def test_it_reaches_what_the_gate_demands_without_learning_by_heart(parts: tuple[Part, Part]):
    training, held_out = parts
    model = train(training.inputs, training.target)
    found = evaluate_classifier(model, held_out.inputs, held_out.target)
    gate = PROJECT.training.gate
    assert gate.minimum is not None
    assert found[gate.metric] >= gate.minimum
    assert found["roc_auc"] > 0.98
    assert abs(gaps(evaluate_classifier(model, training.inputs, training.target), found)["f1_gap"]) < 0.05


def test_at_most_one_malignant_tumour_in_twelve_is_missed(parts: tuple[Part, Part]):
    training, held_out = parts
    predicted = train(training.inputs, training.target).predict(held_out.inputs)
    malignant = np.asarray(held_out.target) == "malignant"
    assert (predicted[malignant] == "malignant").mean() > 11 / 12


def test_training_twice_gives_the_same_model(parts: tuple[Part, Part]):
    training, held_out = parts
    first, second = (train(training.inputs, training.target).predict_proba(held_out.inputs) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_unit_of_a_measurement_does_not_matter(parts: tuple[Part, Part]):
    training, held_out = parts

    def in_millimetres(inputs: pd.DataFrame) -> pd.DataFrame:
        return inputs.assign(mean_radius=inputs["mean_radius"] / 1000)

    plain = train(training.inputs, training.target).predict(held_out.inputs)
    scaled = train(in_millimetres(training.inputs), training.target).predict(in_millimetres(held_out.inputs))
    assert (plain == scaled).all()
