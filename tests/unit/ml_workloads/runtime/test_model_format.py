"""Accepted model formats: scikit-learn in a skops file, identified by the files' contents."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io as skops
import yaml
from sklearn.linear_model import LinearRegression

from ml_workloads.runtime.model_format import FormatError, described, model_file

SKLEARN = {"pickled_model": "model.skops", "serialization_format": "skops", "code": None}
PYFUNC = {"loader_module": "mlflow.sklearn", "model_path": "model.skops"}
FITTED = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])


class MarkerWriter:
    """Object whose unpickling creates an empty file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def version(folder: Path, flavors: Any, content: bytes | None = None) -> Path:
    """Write a version's folder as MLflow downloads it."""
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    (folder / "model.skops").write_bytes(skops.dumps(FITTED) if content is None else content)
    return folder


def zipped(members: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_what_mlflow_writes_for_skops_passes_and_says_where_the_model_is(tmp_path: Path):
    document, path = model_file(version(tmp_path, {"sklearn": SKLEARN, "python_function": PYFUNC}), "3")
    assert document["flavors"]["sklearn"] == SKLEARN
    assert path == (tmp_path / "model.skops").resolve()
    assert skops.load(path).predict([[3.0]]) == pytest.approx([3.0])


def test_every_kind_of_file_that_skops_writes_passes(tmp_path: Path):
    from scipy.sparse import csr_matrix

    held = {"dense": np.ones(3), "sparse": csr_matrix(np.eye(2)), "bytes": b"abc"}
    saved = skops.dumps(held)
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".json", ".npy", ".npz", ".bin"}
    assert model_file(version(tmp_path, {"sklearn": SKLEARN}, saved), "3")[1].name == "model.skops"


@pytest.mark.parametrize(
    ("flavors", "said"),
    [
        (None, "flavors.sklearn is not there"),
        ({}, "flavors.sklearn is not there"),
        ([SKLEARN], "flavors.sklearn is not there"),
        ({"sklearn": "skops"}, "flavors.sklearn is not there"),
        ({"python_function": PYFUNC}, "flavors.sklearn is not there"),
        ({"sklearn": SKLEARN, "pytorch": {}}, "flavors.pytorch is there"),
        ({"sklearn": SKLEARN, "xgboost": {"data": "model.xgb"}}, "flavors.xgboost is there"),
        ({"sklearn": {**SKLEARN, "serialization_format": "pickle"}}, "serialization_format is 'pickle'"),
        ({"sklearn": {**SKLEARN, "serialization_format": "cloudpickle"}}, "serialization_format is 'cloudpickle'"),
        ({"sklearn": {**SKLEARN, "serialization_format": "SKOPS"}}, "serialization_format is 'SKOPS'"),
        ({"sklearn": {**SKLEARN, "serialization_format": None}}, "serialization_format is None"),
        ({"sklearn": {"pickled_model": "model.skops"}}, "serialization_format is 'pickle'"),
        ({"sklearn": {**SKLEARN, "code": "code"}}, "flavors.sklearn.code is 'code'"),
        ({"sklearn": {**SKLEARN, "pickled_model": "../model.skops"}}, "pickled_model is '../model.skops'"),
        ({"sklearn": {**SKLEARN, "pickled_model": "a/../../model.skops"}}, "outside its own folder"),
        ({"sklearn": {**SKLEARN, "pickled_model": "/etc/passwd"}}, "pickled_model is '/etc/passwd'"),
        ({"sklearn": {**SKLEARN, "pickled_model": "..\\model.skops"}}, "outside its own folder"),
        ({"sklearn": {**SKLEARN, "pickled_model": ""}}, "pickled_model is '', it must name the model's file"),
        ({"sklearn": {**SKLEARN, "pickled_model": "."}}, "pickled_model is '.', it must name the model's file"),
        ({"sklearn": {**SKLEARN, "pickled_model": None}}, "pickled_model is None"),
        ({"sklearn": {**SKLEARN, "pickled_model": ["model.skops"]}}, "must name the model's file"),
        ({"sklearn": {**SKLEARN, "pickled_model": "other.skops"}}, "'other.skops', which is not among its files"),
        ({"sklearn": SKLEARN, "python_function": "mlflow.sklearn"}, "flavors.python_function is no mapping"),
        (
            {"sklearn": SKLEARN, "python_function": {**PYFUNC, "loader_module": "loader"}},
            "flavors.python_function.loader_module is 'loader', it must be mlflow.sklearn",
        ),
        ({"sklearn": SKLEARN, "python_function": {"model_path": "model.skops"}}, "loader_module is None"),
        ({"sklearn": SKLEARN, "python_function": {**PYFUNC, "code": "code"}}, "python_function.code is 'code'"),
        (
            {"sklearn": SKLEARN, "python_function": {**PYFUNC, "model_code_path": "model.py"}},
            "python_function.model_code_path is 'model.py'",
        ),
        ({"sklearn": SKLEARN, "python_function": {**PYFUNC, "model_path": "../x"}}, "model_path is '../x'"),
    ],
)
def test_a_version_that_would_run_code_or_reach_outside_is_refused_with_field_value_and_fix(
    tmp_path: Path, flavors: Any, said: str
):
    with pytest.raises(FormatError) as refused:
        model_file(version(tmp_path, flavors), "3")
    told = str(refused.value)
    assert told.startswith("version 3: ")
    assert said in told
    assert told.endswith("serialization_format='skops') and without code_paths")


SCHEMA = json.dumps({"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"'}).encode()


CONTENTS = {
    "nothing": (b"", "is no zip file"),
    "garbage": (b"garbage", "is no zip file"),
    "a pickle": (pickle.dumps(FITTED), "is no zip file"),
    "a part": (skops.dumps(FITTED)[:100], "is no zip file"),
    "a pickle before it": (pickle.dumps([1]) + skops.dumps(FITTED), "does not begin as a zip file does"),
    "an empty zip": (zipped({}), "holds schema.json 0 times"),
    "a pickle in a zip": (zipped({"data.pkl": pickle.dumps(FITTED)}), "holds schema.json 0 times"),
    "a pickle beside": (zipped({"schema.json": SCHEMA, "data.pkl": b"x"}), "holds 'data.pkl', which skops does not"),
    "a file above": (zipped({"schema.json": SCHEMA, "../1.npy": b"x"}), "holds '../1.npy', which skops does not"),
    "code": (zipped({"schema.json": SCHEMA, "code/run.py": b"x"}), "holds 'code/run.py', which skops does not"),
}


@pytest.mark.parametrize(("content", "said"), CONTENTS.values(), ids=CONTENTS)
def test_a_file_is_told_by_what_is_in_it_whatever_its_name(tmp_path: Path, content: bytes, said: str):
    with pytest.raises(FormatError, match=r"version 3: model\.skops ") as refused:
        model_file(version(tmp_path, {"sklearn": SKLEARN}, content), "3")
    assert said in str(refused.value)


def test_a_pickle_that_calls_itself_skops_is_not_loaded(tmp_path: Path):
    marker = tmp_path / "loaded"
    content = pickle.dumps(MarkerWriter(marker))
    with pytest.raises(FormatError, match="is no zip file"):
        model_file(version(tmp_path, {"sklearn": SKLEARN}, content), "3")
    assert not marker.exists()
    pickle.loads(content)  # noqa: S301 - the test's own
    assert marker.exists(), "the pickle does nothing when it is loaded, so it proves nothing"


def test_skops_itself_reads_no_pickle_out_of_an_array(tmp_path: Path):
    """The names inside the zip are valid, but one array is stored as NumPy stores objects: as a pickle."""
    marker = tmp_path / "loaded"
    array = io.BytesIO()
    np.save(array, np.array([MarkerWriter(marker)], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(io.BytesIO(skops.dumps(np.ones(1)))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (name,) = [name for name in members if name.endswith(".npy")]
    _, path = model_file(version(tmp_path, {"sklearn": SKLEARN}, zipped({**members, name: array.getvalue()})), "3")
    with pytest.raises(ValueError, match="allow_pickle=False"):
        skops.load(path)
    assert not marker.exists()


def test_a_folder_of_code_is_refused_although_nothing_names_it(tmp_path: Path):
    (tmp_path / "code").mkdir()
    with pytest.raises(FormatError, match="version 3: code is among its files"):
        model_file(version(tmp_path, {"sklearn": SKLEARN}), "3")


def test_a_link_that_leads_outside_is_refused(tmp_path: Path):
    outside, folder = tmp_path / "other.skops", tmp_path / "version"
    outside.write_bytes(skops.dumps(FITTED))
    folder.mkdir()
    version(folder, {"sklearn": SKLEARN})
    (folder / "model.skops").unlink()
    (folder / "model.skops").symlink_to(outside)
    with pytest.raises(FormatError, match="outside its own folder"):
        model_file(folder, "3")


@pytest.mark.parametrize("text", ["", "- a\n- b", "flavors: [", "!!python/object/apply:os.getcwd []", "just words"])
def test_a_description_that_is_none_is_refused(text: str):
    with pytest.raises(FormatError, match="version 3: MLmodel is no mapping in YAML"):
        described(text, "3")


def test_a_folder_without_a_description_is_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="version 3: MLmodel is not among its files"):
        model_file(tmp_path, "3")
