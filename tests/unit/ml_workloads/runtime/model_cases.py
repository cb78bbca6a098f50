"""Typical scikit-learn models: searches, pipelines and ensembles, each with the table to fit it on."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats as stats
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest, f_regression, mutual_info_classif
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, TweedieRegressor
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

RANDOM = np.random.default_rng(0)
TABLE: Any = pd.DataFrame(
    {
        "a": RANDOM.normal(size=60),
        "b": np.abs(RANDOM.normal(size=60)),
        "c": pd.Series(RANDOM.choice(["x", "y", "z"], 60)).astype("category"),
        "d": RANDOM.choice(["u", "v"], 60),
    }
)
NUMBERS: Any = TABLE[["a", "b"]]
CLASSES = np.where(TABLE["a"] > 0, "yes", "no")
VALUES = np.abs(TABLE["a"] * 2 + 1)


def chosen(*pairs: Any) -> Any:
    return make_pipeline(make_column_transformer(*pairs), LogisticRegression())


# Their annotations are narrower than what they take.
Boosted: Any = HistGradientBoostingRegressor
Ordinals: Any = OrdinalEncoder
OneHot: Any = OneHotEncoder
Search: Any = GridSearchCV


CASES: dict[str, tuple[Any, pd.DataFrame, Any]] = {
    **{
        f"search over {name}": (
            RandomizedSearchCV(LogisticRegression(), {"C": drawn}, n_iter=2, cv=2, random_state=0),
            NUMBERS,
            CLASSES,
        )
        for name, drawn in {
            "loguniform": stats.loguniform(0.01, 100),
            "uniform": stats.uniform(0.1, 1),
            "a bare name": stats.halfnorm,
        }.items()
    },
    "search over randint": (
        RandomizedSearchCV(DecisionTreeClassifier(), {"max_depth": stats.randint(2, 5)}, n_iter=2, cv=2),
        NUMBERS,
        CLASSES,
    ),
    "search with a state": (
        RandomizedSearchCV(
            DecisionTreeClassifier(),
            {"max_depth": stats.poisson(3, loc=1)},
            n_iter=2,
            cv=2,
            random_state=np.random.RandomState(0),
        ),
        NUMBERS,
        CLASSES,
    ),
    "splines": (make_pipeline(SplineTransformer(), LogisticRegression()), NUMBERS, CLASSES),
    "columns by type": (
        chosen(
            (StandardScaler(), make_column_selector(dtype_include=np.number)),
            (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include=["category", "string"])),
        ),
        TABLE,
        CLASSES,
    ),
    "columns by object": (
        chosen((OrdinalEncoder(), make_column_selector(dtype_include=object))),
        TABLE.astype({"d": object}),
        CLASSES,
    ),
    "columns by pattern": (chosen((StandardScaler(), make_column_selector(pattern="a|b"))), TABLE, CLASSES),
    "categories from the dtype": (
        HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=3),
        TABLE[["a", "c"]],
        CLASSES,
    ),
    "categories by name": (
        Boosted(categorical_features=["c"], max_iter=3),
        TABLE[["a", "c"]],
        VALUES,
    ),
    "ordinals of a dtype": (chosen((Ordinals(dtype=np.int32), ["d", "c"])), TABLE, CLASSES),
    "one-hot of a dtype": (chosen((OneHot(dtype=np.float32, sparse_output=False), ["d"])), TABLE, CLASSES),
    "one-hot of a dtype's object": (chosen((OneHot(dtype=np.dtype("int8")), ["d"])), TABLE, CLASSES),
    "a function and its inverse": (
        make_pipeline(FunctionTransformer(np.log1p, inverse_func=np.expm1), LogisticRegression()),
        NUMBERS.abs(),
        CLASSES,
    ),
    "a function with arguments": (
        make_pipeline(FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 1}), LogisticRegression()),
        NUMBERS,
        CLASSES,
    ),
    "a function of part": (
        make_pipeline(FunctionTransformer(partial(np.nan_to_num, nan=1.0)), LogisticRegression()),
        NUMBERS,
        CLASSES,
    ),
    "calibration": (CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=2), NUMBERS, CLASSES),
    "a stack": (
        StackingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier())], cv=2),
        NUMBERS,
        CLASSES,
    ),
    "a vote": (VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor())]), NUMBERS, VALUES),
    "a target's function": (TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), NUMBERS, VALUES),
    "a target's transformer": (
        TransformedTargetRegressor(Ridge(), transformer=QuantileTransformer(n_quantiles=9)),
        NUMBERS,
        VALUES,
    ),
    "pandas between steps": (
        chosen((StandardScaler(), ["a"]), (OneHotEncoder(sparse_output=False), ["d"])).set_output(transform="pandas"),
        TABLE,
        CLASSES,
    ),
    "a scorer": (
        GridSearchCV(
            LogisticRegression(),
            {"C": [0.1, 1]},
            scoring=make_scorer(f1_score, pos_label="yes"),
            cv=StratifiedKFold(2, shuffle=True, random_state=0),
        ),
        NUMBERS,
        CLASSES,
    ),
    "several scores": (
        Search(Ridge(), {"alpha": [1, 2]}, scoring=["r2", "neg_mean_absolute_error"], refit="r2", cv=KFold(2)),
        NUMBERS,
        VALUES,
    ),
    "steps to choose from": (
        GridSearchCV(
            make_pipeline(StandardScaler(), LogisticRegression()),
            {"standardscaler": [StandardScaler(), "passthrough"]},
            cv=2,
        ),
        NUMBERS,
        CLASSES,
    ),
    "kernels": (
        GaussianProcessRegressor(
            kernels.ConstantKernel() * kernels.Matern() + kernels.WhiteKernel() + kernels.RationalQuadratic(), alpha=0.1
        ),
        NUMBERS,
        VALUES,
    ),
    "another distance": (KNeighborsRegressor(metric="manhattan", algorithm="ball_tree"), NUMBERS, VALUES),
    "another loss": (SGDClassifier(loss="modified_huber"), NUMBERS, CLASSES),
    "a family of losses": (TweedieRegressor(power=1.5, link="log"), NUMBERS, VALUES),
    "features by information": (
        make_pipeline(SelectKBest(mutual_info_classif, k=1), LogisticRegression()),
        NUMBERS,
        CLASSES,
    ),
    "features by correlation": (make_pipeline(SelectKBest(f_regression, k=1), Ridge()), NUMBERS, VALUES),
}
