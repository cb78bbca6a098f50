"""Every scikit-learn estimator is saved and loaded with trusted types only; types that run code are rejected."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.stats as stats
import skops.io as skops
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer_names
from sklearn.preprocessing import (
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators
from threadpoolctl import threadpool_limits

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.trusted_types import REVIEWED, needed, plain, reviewed, save, trusted, untrusted
from tests.unit.ml_workloads.runtime.model_cases import CASES, RANDOM

# Not saved by skops, or nothing that a table with one target can be fitted with.
UNSAVABLE = {"Birch": "its tree of clusters refers to itself; skops says that it does not support it"}


def again(model: Any) -> Any:
    saved = save(model)
    assert untrusted(saved, ()) == ()
    return skops.loads(saved, trusted=needed(saved, ()))


@pytest.mark.parametrize("name", CASES)
def test_a_model_is_saved_loaded_and_predicts_the_same(name: str):
    model, inputs, target = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy: Any = clone(model)
        copy.fit(inputs, target)
        assert again(copy).predict(inputs).tolist() == copy.predict(inputs).tolist()


def estimators() -> Iterator[tuple[str, Any]]:
    """Yield every estimator that scikit-learn lists, with defaults or its minimal arguments."""
    inner = LogisticRegression()
    more: list[dict[str, Any]] = [
        {}, {"estimator": inner}, {"estimators": [("a", inner), ("b", DecisionTreeClassifier())]},
        {"estimators": [("a", Ridge()), ("b", DecisionTreeRegressor())]},
        {"transformers": [("a", "passthrough", [0])]}, {"transformer_list": [("a", StandardScaler())]},
        {"steps": [("a", inner)]}, {"estimator": inner, "param_grid": {"C": [1, 2]}},
        {"estimator": inner, "param_distributions": {"C": [1, 2]}}, {"dictionary": np.eye(3)},
    ]  # fmt: skip
    for name, kind in all_estimators():
        for arguments in more:
            try:
                yield name, kind(**arguments)
            except TypeError:
                continue
            break
        else:
            raise AssertionError(f"{name} takes other arguments")


QUICK: dict[str, Any] = {
    "n_estimators": 3, "max_iter": 5, "max_iter_predict": 5, "n_restarts_optimizer": 0, "cv": 2, "n_init": 1,
    "n_alphas": 3, "alphas": 3, "Cs": 2, "n_nearest_features": 1, "max_no_improvement": 1, "n_jobs": None,
}  # fmt: skip


def fitted(model: Any) -> Any:
    """Return the estimator, fitted on the first small data that it accepts, or unfitted."""
    rows = np.abs(RANDOM.normal(size=(24, 3))) + 0.1
    labels = np.tile([0, 1], 12)
    documents: Any = ["one two", "two three"] * 12
    known = model.get_params(deep=False)
    model.set_params(**{name: value for name, value in QUICK.items() if name in known and known[name] is not None})
    if type(model).__name__ in ("TSNE", "SequentialFeatureSelector", "FrozenEstimator"):
        return model
    for inputs, target in (
        (rows, labels), (rows, rows[:, 0]), (rows, rows[:, :2]), (rows[:, :1], rows[:, 0]), (documents, labels),
        (rows @ rows.T, labels), (labels, None), (rows, np.eye(2)[labels]),
    ):  # fmt: skip
        try:
            return model.fit(inputs) if target is None else model.fit(inputs, target)
        except (ValueError, TypeError, AttributeError, IndexError):
            model = clone(model)
    return model


def test_every_estimator_of_scikit_learn_is_saved_with_reviewed_types():
    failed: dict[str, str] = {}
    # Threads that wait for each other take minutes where cores are few.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, model in estimators():
            try:
                again(fitted(model))
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
    assert failed.keys() == UNSAVABLE.keys(), failed


def test_every_scorer_of_scikit_learn_is_saved():
    from sklearn.metrics import get_scorer

    for name in get_scorer_names():
        assert untrusted(save(get_scorer(name)), ()) == (), name


def test_every_distribution_is_saved_and_gives_the_same_numbers():
    for drawn in (stats.loguniform(1, 2), stats.randint(1, 5), stats.poisson(3), stats.norm(), stats.geom(0.2)):
        loaded = again(drawn)
        assert loaded.rvs(3, random_state=0).tolist() == drawn.rvs(3, random_state=0).tolist()
        assert loaded.entropy() == drawn.entropy()


def test_every_reviewed_name_exists():
    missing = [
        f"{module}.{name}"
        for module, names in REVIEWED.items()
        for name in names.split()
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval", "builtins.getattr", "builtins.open", "os.system", "operator.attrgetter",
        "operator.methodcaller", "importlib.import_module", "subprocess.Popen", "numpy.load", "numpy.frompyfunc",
        "joblib.load", "__main__.train", "cloudpickle.loads", "pandas.read_pickle",
    ],
)  # fmt: skip
def test_what_can_run_any_code_is_neither_reviewed_nor_may_be_listed(name: str):
    assert name not in reviewed()
    with pytest.raises(ProjectError, match=r"training.trusted_types: .* could run any code"):
        trusted([name])


def test_a_function_with_a_name_of_one_that_reads_files_is_told_to_be_renamed():
    for name in ("churn.features.load_factor", "churn.features.open_days"):
        with pytest.raises(ProjectError, match="rename it if it is the project's own"):
            trusted([name])


def test_classes_of_the_project_and_of_packages_may_be_listed():
    names = ["churn.features.Ratios", "lightgbm.sklearn.LGBMClassifier"]
    assert set(names) <= set(trusted(names))


def test_a_message_names_five_types_at_most():
    assert plain(f"t{n}" for n in range(7)) == "t0, t1, t2, t3, t4 and 2 more"
