"""A version may not influence its own loading in a way that widens the trusted types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas as pd
import pytest
import yaml
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException

from ml_workloads.runtime.model_format import FormatError
from ml_workloads.runtime.serving.artifacts import read
from ml_workloads.runtime.serving.columns import INPUTS, describe

TRAINING = pd.DataFrame({"area": [1.0, 2.0, 3.0], "kind": pd.Series(["a", None, "b"], dtype="category")})
HARMLESS = f"{__name__}.Own"


class Own(StandardScaler):
    """A class defined by the project."""

    def predict(self, table: pd.DataFrame) -> Any:
        """Return, for each row, the type of the text column and whether its value is missing."""
        return [f"{table['kind'].dtype} {missing}" for missing in table["kind"].isna()]


def save(folder: Path, model: Any, **more: Any) -> None:
    mlflow.sklearn.save_model(  # pyright: ignore[reportPrivateImportUsage]
        model,
        str(folder),
        signature=infer_signature(TRAINING, [1.0]),
        metadata={INPUTS: describe(TRAINING)},
        pip_requirements=["scikit-learn"],
        **more,
    )


def tamper(folder: Path, **written: Any) -> None:
    """Change the version's own description of its flavor."""
    path = folder / "MLmodel"
    said = yaml.safe_load(path.read_text())
    said["flavors"]["sklearn"].update(written)
    path.write_text(yaml.safe_dump(said))


def test_a_version_that_calls_its_own_types_trusted_is_loaded_only_when_the_project_does(tmp_path: Path):
    save(tmp_path / "model", Own(), skops_trusted_types=[HARMLESS])
    with pytest.raises(UntrustedTypesFoundException, match="Own"):
        read(tmp_path / "model", "churn", "1", ())
    loaded = read(tmp_path / "model", "churn", "1", (HARMLESS,))
    assert loaded.predict(TRAINING) == ["category False", "category True", "category False"]


def test_the_model_is_asked_without_mlflows_changes_to_the_table(tmp_path: Path):
    save(tmp_path / "model", Own(), skops_trusted_types=[HARMLESS])
    loaded = read(tmp_path / "model", "churn", "1", (HARMLESS,))
    assert [column.type.pandas for column in loaded.columns] == list(TRAINING.dtypes)


@pytest.mark.parametrize("kept_as", ["pickle", "cloudpickle"])
def test_a_version_that_runs_code_when_it_is_loaded_is_refused(tmp_path: Path, kept_as: str):
    save(tmp_path / "model", LinearRegression().fit([[1.0]], [1.0]), serialization_format=kept_as)
    with pytest.raises(FormatError, match=f"is '{kept_as}', which runs code.*serialization_format='skops'"):
        read(tmp_path / "model", "churn", "1", ())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"pickled_model": "../other/model.skops"}, "outside its own folder"),
        ({"pickled_model": "/other/model.skops"}, "outside its own folder"),
        ({"pickled_model": "other.skops"}, "'other.skops', which is not among its files"),
        ({"serialization_format": "pickle"}, "is 'pickle'"),
    ],
)
def test_what_a_version_says_of_its_files_is_checked(tmp_path: Path, written: dict[str, str], said: str):
    for name in ("model", "other"):
        save(tmp_path / name, LinearRegression().fit([[1.0]], [1.0]))
    tamper(tmp_path / "model", **written)
    with pytest.raises(FormatError, match=said):
        read(tmp_path / "model", "churn", "1", ())


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="MLmodel is not among its files"):
        read(tmp_path, "churn", "1", ())
