"""Typical mistakes in a new project: `mlp projects check` reports each within seconds and without a cluster."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlp.environments import STACKS
from mlp.projects.check import Checked, check_projects
from tests.unit.mlp.projects.repositories import add_project, make_repository

# All of them are looked at before the first test, for which a busy machine takes minutes.
pytestmark = pytest.mark.timeout(500)
TRAINING, CONTRACT = "tumour_diagnosis/training.py", "tumour_diagnosis/contract.py"
HEAD = "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
TABLE = "import pandera.pandas as pa\ntumours = pa.DataFrameSchema({columns})\n"


def train(body: str, signature: str = "inputs, target") -> dict[str, str]:
    return {TRAINING: f"{HEAD}\ndef train({signature}):\n    {body}\n"}


def table(columns: str) -> dict[str, str]:
    """Return a contract with these columns, besides a number and the target."""
    whole = "{'x': pa.Column(float), 'diagnosis': pa.Column(str, pa.Check.isin(['a', 'b'])), " + columns + "}"
    return {CONTRACT: f"import pandera.pandas as pa\ntumours = pa.DataFrameSchema({whole})\n", "example.json": "{}"}


@dataclass(frozen=True)
class Mistake:
    """One mistake: the message must contain `said`, and its subject must contain `what`."""

    what: str
    said: str
    files: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


FIT = "LogisticRegression().fit(inputs.select_dtypes('number').fillna(0), target)"
MISTAKES: Mapping[str, Mistake] = {
    "misspelt-setting": Mistake("project.yaml", "trainning", settings={"trainning": {}}),
    "name-of-another": Mistake("project.yaml", "the name of the folder", settings={"name": "something-else"}),
    "beyond-quota": Mistake("project.yaml", "quota", settings={"training.resources.memory": "64Gi"}),
    "sunday-twice": Mistake("project.yaml", "schedule", settings={"training.schedule": "0 3 * * 7"}),
    "two-statements": Mistake(
        "project.yaml",
        "statement",
        settings={"data.source": {"type": "sql", "secret": "db", "query": "SELECT 1; DROP TABLE a"}, "secrets": ["db"]},
    ),
    "no-such-accelerator": Mistake(
        "nodes",
        "dev has no pool with 1 nvidia-h100",
        settings={"training.accelerator": {"type": "nvidia-h100"}, "quota.accelerators": 1},
    ),
    "too-large-for-nodes": Mistake(
        "nodes",
        "fit on no node of dev",
        settings={"training.resources.memory": "48Gi", "quota.memory": "128Gi"},
    ),
    "no-dockerfile-tag": Mistake("Dockerfile", "names no tag", files={"Dockerfile": "FROM python\nUSER 65532\n"}),
    "dockerfile-in-latin-1": Mistake(
        "Dockerfile",
        "byte 3 is not UTF-8; save the file as UTF-8",
        files={"Dockerfile": "# für\nFROM python:3.11-slim\n".encode("latin-1")},
    ),
    "dockerfile-in-utf-16": Mistake(
        "Dockerfile", "byte 0 is not UTF-8", files={"Dockerfile": "FROM python:3.11-slim\n".encode("utf-16")}
    ),
    "code-in-latin-1": Mistake(
        "imports",
        "help.py.*: this is not Python",
        files={"tumour_diagnosis/help.py": "NAME = 'für'\n".encode("latin-1")},
    ),
    "misspelt-module": Mistake(
        "training.entrypoint", "there is no module", settings={"training.entrypoint": "tumour_diagnosis.trainng:train"}
    ),
    "misspelt-function": Mistake(
        "training.entrypoint", "has no trian", settings={"training.entrypoint": "tumour_diagnosis.training:trian"}
    ),
    "misspelt-contract": Mistake(
        "data.contract", "has no tumors", settings={"data.contract": "tumour_diagnosis.contract:tumors"}
    ),
    "syntax": Mistake("training.entrypoint", "training.py:2", files={TRAINING: "\ndef train(inputs, target:\n"}),
    "raises-at-import": Mistake("training.entrypoint", "ZeroDivisionError.*training.py:1", files={TRAINING: "1 / 0\n"}),
    "exits-at-import": Mistake(
        "training.entrypoint", "ends the process", files={TRAINING: "import sys; sys.exit(3)\n"}
    ),
    "package-of-nobody": Mistake(
        "training.entrypoint", "package lightgbmm is neither installed", files={TRAINING: "import lightgbmm\n"}
    ),
    "package-of-this-machine": Mistake(
        "imports",
        "installed here, and not in the image",
        files={TRAINING: f"import moto\n{train('return 1')[TRAINING]}"},
    ),
    "code-of-the-repository": Mistake(
        "imports",
        "the image has no ml_workloads.project",
        files={"tumour_diagnosis/help.py": "import ml_workloads.project\n"},
    ),
    "target-is-no-column": Mistake("data.target", "no column 'diagnose'", settings={"data.target": "diagnose"}),
    "contract-is-a-function": Mistake(
        "data.contract", "name a pandera", files={CONTRACT: "def tumours(table):\n    return table\n"}
    ),
    "contract-raises": Mistake(
        "sample|data.contract",
        "NameError|training was not tried",
        files=table("'y': pa.Column(float, pa.Check(lambda s: oops))"),
    ),
    "returns-nothing": Mistake("training", "None", files=train(FIT)),
    "returns-a-pair": Mistake("training", "tuple", files=train(f"return {FIT}, 0.9")),
    "not-fitted": Mistake("training", "fit", files=train("return LogisticRegression()")),
    "one-argument": Mistake("training", "argument", files=train("return 1", "inputs")),
    "target-in-inputs": Mistake(
        "training", "diagnosis", files=train("return LogisticRegression().fit(inputs, inputs['diagnosis'])")
    ),
    "error-of-classes": Mistake("training", "rmse", settings={"training.gate": {"metric": "rmse", "maximum": 3.0}}),
    "decimal-column": Mistake(
        "training|example.json", "float", files={**table("'y': pa.Column(pa.Decimal)"), **train(f"return {FIT}")}
    ),
    "duration-column": Mistake(
        "training|example.json",
        "seconds",
        files={**table("'y': pa.Column('timedelta64[ns]')"), **train(f"return {FIT}")},
    ),
    "own-class-not-trusted": Mistake(
        "training",
        "trusted_types",
        files={
            TRAINING: f"{HEAD}from sklearn.base import BaseEstimator, ClassifierMixin\n\n"
            "class Own(ClassifierMixin, BaseEstimator):\n"
            "    def fit(self, X, y):\n        self.classes_ = np.unique(y)\n        return self\n"
            "    def predict(self, X):\n        return np.repeat(self.classes_[:1], len(X))\n\n"
            "def train(inputs, target):\n    return Own().fit(inputs, target)\n"
        },
    ),
    "missing-module-of-its-own": Mistake(
        "training.entrypoint",
        "no module tumour_diagnosis.features",
        files={TRAINING: "import tumour_diagnosis.features\n"},
    ),
    "raises-in-training": Mistake("training", "KeyError.*training.py:6", files=train("return inputs['nothing']")),
    "example-of-another": Mistake(
        "example.json", "lacks area_error", files={"example.json": '{"instances": [{"age": 3}]}'}
    ),
    "example-is-no-json": Mistake("example.json", "not JSON", files={"example.json": "{instances: }"}),
    "ends-without-a-word": Mistake("training", "in the middle of it", files=train("import os; os._exit(9)")),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Checked], float]:
    """Check all mistakes in one repository together, so that the libraries load once."""
    root = tmp_path_factory.mktemp("repository")
    projects = make_repository(root)
    for name, mistake in MISTAKES.items():
        add_project(projects, name, mistake.files, mistake.settings)
    add_project(projects, "sound", {}, {})
    start = time.monotonic()
    checked = check_projects([*MISTAKES, "sound"], root=root, stacks=STACKS)
    return {each.name: each for each in checked}, time.monotonic() - start


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_told_by_one_sentence_in_its_place(found: tuple[dict[str, Checked], float], name: str):
    checked, mistake = found[0][name], MISTAKES[name]
    told = [f"{each.what}: {each.said}" for each in checked.problems]
    assert any(_fits(each, mistake) for each in told), told or [f"{e.what}: {e.said}" for e in checked.findings]


def _fits(told: str, mistake: Mistake) -> bool:
    return re.search(rf"^({mistake.what}): .*({mistake.said})", told, re.DOTALL) is not None


def test_a_sound_project_beside_them_has_no_problem(found: tuple[dict[str, Checked], float]):
    assert found[0]["sound"].problems == ()
    assert {each.what for each in found[0]["sound"].findings if each.state == "ok"} >= {
        *("project.yaml", "image", "Dockerfile", "nodes", "data.contract", "training.entrypoint", "sample", "training"),
        "example.json",
    }


def test_a_mistake_takes_less_than_ten_seconds(found: tuple[dict[str, Checked], float]):
    """They share one start of the libraries, so each takes a fraction of a second on an idle machine."""
    assert found[1] / len(MISTAKES) < 10
