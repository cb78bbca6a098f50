"""`data.source.path` checks file extensions as the reader does, without importing pandas."""

import subprocess
import sys

import pytest

from ml_workloads.project import parse_project
from ml_workloads.project.data import FORMATS
from ml_workloads.runtime.data import tables
from tests.unit.ml_workloads.examples import SOUND
from validation.errors import SettingsError

ENDINGS = [".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".parquet"]
OTHERS = ["", ".xlsx", ".gz", ".csv.zip", ".csv.gz.gz", ".tsv", "csv", ".parquet.gz", ".csv.", ".json"]


def accepts(kind: str, path: str) -> bool:
    try:
        parse_project({**SOUND, "data": {**SOUND["data"], "source": {"type": kind, "path": path}}}, "example")
    except SettingsError:
        return False
    return True


@pytest.mark.parametrize("ending", [*ENDINGS, *(each.upper() for each in ENDINGS), *OTHERS])
@pytest.mark.parametrize("begin", ["churn", "2024/year=1/churn", ".churn", "churn.v2", ""])
def test_a_path_is_accepted_if_the_reader_takes_its_ending(begin: str, ending: str):
    path = begin + ending
    assert accepts("s3", path) == accepts("local", path) == tables.is_table(path)


def test_a_prefix_is_accepted_for_objects_and_for_no_file():
    for path in ("churn/", "2024/churn.parquet/", "churn.csv/"):
        assert (accepts("s3", path), accepts("local", path)) == (True, False)


def test_the_endings_that_are_told_are_the_readers():
    assert FORMATS == tables.FORMATS


def test_a_project_is_read_without_the_libraries_of_a_training():
    code = "import sys, ml_workloads.project; print([each for each in ('pandas', 'mlflow') if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
