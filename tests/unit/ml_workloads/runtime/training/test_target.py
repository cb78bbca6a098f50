"""Valid targets for each metric; messages contain the number of values, and no values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_workloads.runtime.gate import Gate, Metric
from ml_workloads.runtime.training.target import TargetError, check_target


def series(values: Any, dtype: Any = None) -> Any:
    return pd.Series(values, dtype=dtype, name="price")


@pytest.mark.parametrize(
    ("values", "metric", "said"),
    [
        (series(np.arange(2000) / 7), "f1", "2,000 different numbers, .*: use rmse, mae or r2"),
        (series(range(500)), "accuracy", "500 different numbers"),
        (series(np.arange(500) / 3, "Float64"), "roc_auc", "500 different numbers"),
        (series([Decimal(n) / 7 for n in range(100)]), "f1", "100 different numbers"),
        (series(["yes", "no"] * 20), "rmse", "values of type text and no numbers.*: use accuracy"),
        (series(pd.Categorical(["yes", "no"] * 20)), "mae", "values of type text"),
        (series([True, False] * 20), "r2", "truth values and no numbers"),
        (series([Decimal(1), Decimal(2)] * 20), "rmse", r"decimals.*Column\(float, coerce=True\)"),
        (series([timedelta(1), timedelta(2)] * 20), "rmse", "values of type timedelta"),
        (series([1.0, float("inf")] * 20), "rmse", "infinite in 20 of 40 rows"),
        (series([[1], [2]] * 20), "f1", "holds a list in a row"),
        (series([{"a": 1}] * 20), "rmse", "holds a dict in a row"),
        (series(pd.date_range("2026-01-01", periods=40)), "f1", "holds times"),
        (series([Decimal(1), Decimal(2)] * 20), "f1", r"holds Decimal in .*Column\(str, coerce=True\)"),
        (series([date(2026, 1, 1), date(2026, 1, 2)] * 20), "accuracy", "holds date in a column of Python objects"),
        (series([b"a", b"b"] * 20), "f1", "holds bytes"),
        (series([1, 2.5] * 20, object), "recall", "holds float and int"),
        (series([1, "a"] * 20, object), "f1", "holds int and str"),
        (series(pd.Categorical([date(2026, 1, 1), date(2026, 1, 2)] * 20)), "f1", "holds date"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(values: Any, metric: Metric, said: str):
    with pytest.raises(TargetError, match=said) as refused:
        check_target(values, Gate(metric=metric, bound=0.5))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("values", "metric"),
    [
        (series(["yes", "no"] * 20), "f1"),
        (series([True, False] * 20), "roc_auc"),
        (series([0, 1, 2] * 20), "f1"),
        (series([0.0, 1.0] * 20), "accuracy"),
        (series([0.5, 1.5] * 20), "accuracy"),
        (series(list(range(100)) * 20), "accuracy"),
        (series(pd.Categorical([1, 2] * 20)), "f1"),
        (series(range(40)), "rmse"),
        (series(range(40), "Int64"), "mae"),
        (series(np.arange(40) / 7, "float32"), "r2"),
    ],
)
def test_a_target_that_fits_passes(values: Any, metric: Metric):
    check_target(values, Gate(metric=metric, bound=0.5))
