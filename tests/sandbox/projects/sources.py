"""The projects of the environment: the repository's example, with entry points that no team wants, and a second one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from ml_workloads.project import PROJECT_FILE
from ml_workloads.project.image import PROJECTS

EXAMPLE = "tumour-diagnosis"
OTHER, OTHER_TEAM, OTHER_SECRET = "cell-survey", "research", "partner-key"
DATA, BROKEN_DATA = "measurements.csv", "broken.csv"
FAULTS = "tumour_diagnosis.faults"
_FAULTS = '''
"""Entry points that fail, each in its way, or train badly, by the name of the run."""

import os
import time

from sklearn.dummy import DummyClassifier

from tumour_diagnosis.training import train


def raises(inputs, target):
    raise RuntimeError("it did not converge in 3 rounds")


def hungry(inputs, target):
    held = []
    while True:
        held.append(b"x" * 2**24)


def sleeps(inputs, target):
    time.sleep(3600)


def weak(inputs, target):
    return DummyClassifier(strategy="stratified", random_state=0).fit(inputs, target)


def asked(otherwise):
    name = os.environ["TRAINING_JOB"].removeprefix("training-").removesuffix("-fit")
    return {"memory": hungry, "deadline": sleeps, "weak": weak}.get(name, otherwise)


def by_run(inputs, target):
    return asked(train)(inputs, target)


def by_run_or_raises(inputs, target):
    return asked(raises)(inputs, target)
'''


def add_faults(root: Path) -> None:
    """Into the example's code, which trains as it does but in runs of certain names: a conductor starts the project's
    own training and no other, so that a test cannot have one run train otherwise."""
    folder = root / PROJECTS / EXAMPLE
    (folder / "tumour_diagnosis" / "faults.py").write_text(_FAULTS.lstrip())
    content: dict[str, Any] = yaml.safe_load((folder / PROJECT_FILE).read_text())
    content["training"]["entrypoint"] = f"{FAULTS}:by_run"
    (folder / PROJECT_FILE).write_text(yaml.safe_dump(content, sort_keys=False))


def add_other(root: Path) -> None:
    """A project of another team, which reads the data lake, has a secret, no server, and code that raises."""
    folder = root / PROJECTS / OTHER
    shutil.copytree(root / PROJECTS / EXAMPLE, folder)
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(f"{PROJECTS}/{EXAMPLE}", f"{PROJECTS}/{OTHER}"))
    content: dict[str, Any] = yaml.safe_load((folder / PROJECT_FILE).read_text())
    content |= {"name": OTHER, "team": OTHER_TEAM, "secrets": [OTHER_SECRET]}
    content["data"]["source"] = {"type": "s3", "path": DATA}
    content["training"] |= {
        "entrypoint": f"{FAULTS}:by_run_or_raises",
        "resources": {"cpu": "100m", "memory": "768Mi"},
        "retries": 0,
    }
    # Five runs at once, and each is conducted.
    content["quota"] = {"cpu": "6", "memory": "16Gi"}
    del content["serving"], content["training"]["schedule"]
    (folder / PROJECT_FILE).write_text(yaml.safe_dump(content, sort_keys=False))


def take_out(root: Path, project: str) -> None:
    """As its team does: no environment has it any more that this program deploys."""
    path = root / PROJECTS / project / PROJECT_FILE
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    content["environments"] = ["prod"]
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def table(root: Path) -> str:
    """The example's data, as CSV."""
    command = (sys.executable, "-m", "tumour_diagnosis.dataset", "/dev/stdout")
    done = subprocess.run(command, cwd=root / PROJECTS / EXAMPLE, capture_output=True, text=True, check=True)
    return done.stdout


def broken(text: str) -> str:
    """Of a table: a column less, and a row with a radius that nothing has."""
    header, first, second, *rest = (line.split(",") for line in text.splitlines())
    gone, radius = header.index("mean_texture"), header.index("mean_radius")
    second[radius] = "-4.5"
    lines = [[cell for place, cell in enumerate(line) if place != gone] for line in (header, first, second, *rest)]
    return "\n".join(",".join(line) for line in lines) + "\n"
