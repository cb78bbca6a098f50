"""Preprocessing and model in one pipeline, so that serving transforms a request as training transformed its data."""

from typing import Any

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def train(inputs: pd.DataFrame, target: Any) -> Pipeline:
    """Train a linear model.

    On this data it is as good as larger models, it predicts fast, and its weights are interpretable.
    """
    pipeline = Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression(C=0.1, max_iter=1000))])
    return pipeline.fit(inputs, target)
