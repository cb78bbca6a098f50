"""Modules that git ignores work on this machine; the check reports them before an image lacks them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from components.checkout import listing
from ml_workloads.project import load_project
from ml_workloads.project.image import project_image
from mlp.environments import STACKS
from mlp.projects.check import check_projects
from mlp.projects.check_imports import check_ignored
from tests.unit.mlp.projects.repositories import PROJECTS, add_project, make_repository

OWN = f"{PROJECTS}/sound"
PACKAGE = "tumour_diagnosis"
Told = Callable[[str, Mapping[str, str]], list[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_project(make_repository(tmp_path), "sound", {}, {})
    return tmp_path


def write(root: Path, ignored: str, files: Mapping[str, str]) -> None:
    """Create a git repository with files of the project and an ignore list."""
    (root / ".gitignore").write_text(f"__pycache__/\n{ignored}\n")
    for file, text in files.items():
        path = root / OWN / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    listing.cache_clear()


@pytest.fixture
def told(root: Path) -> Told:
    def check(ignored: str, files: Mapping[str, str]) -> list[str]:
        write(root, ignored, files)
        project = load_project(root / OWN / "project.yaml")
        return [each.said for each in check_ignored(project, root, project_image(project).files(root))]

    return check


def said(path: str) -> str:
    return f"git ignores {OWN}/{path}, so the image has no such module; rename it, or `git add -f` it"


@pytest.mark.parametrize(
    "code",
    [
        "from tumour_diagnosis.build.features import scaled",
        "from tumour_diagnosis.build import features",
        "import tumour_diagnosis.build.features as features",
        "from .build.features import scaled",
        "from .build import features",
        "def train():\n    from . import other\n    from .build import features",
    ],
)
def test_a_module_that_the_image_imports_and_git_ignores_is_told(told: Told, code: str):
    files = {f"{PACKAGE}/build/features.py": "scaled = 1\n", f"{PACKAGE}/further.py": f"{code}\n"}
    assert told("build/", files) == [said(f"{PACKAGE}/build/features.py")]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{PACKAGE}/steps/more.py", "from ..build.features import scaled"),
        (f"{PACKAGE}/steps/__init__.py", "from ..build.features import scaled"),
        ("beside.py", "import tumour_diagnosis.build.features"),
    ],
)
def test_dots_are_counted_from_where_the_import_stands(told: Told, path: str, code: str):
    files = {f"{PACKAGE}/build/features.py": "", path: f"{code}\n"}
    assert told("build/", files) == [said(f"{PACKAGE}/build/features.py")]


def test_a_package_and_what_an_ignored_module_imports_are_told_at_once(told: Told):
    files = {
        f"{PACKAGE}/build/__init__.py": "from .tables import table\n",
        f"{PACKAGE}/build/features.py": "",
        f"{PACKAGE}/build/tables.py": "",
        f"{PACKAGE}/build/scratch.py": "",
        f"{PACKAGE}/further.py": "from tumour_diagnosis.build import features\n",
    }
    paths = [f"{PACKAGE}/build/{name}.py" for name in ("__init__", "features", "tables")]
    assert told("build/", files) == [said(path) for path in paths]


def test_the_module_that_project_yaml_names_counts_as_imported(told: Told):
    assert told("training.py", {}) == [said(f"{PACKAGE}/training.py")]


@pytest.mark.parametrize(
    ("ignored", "files"),
    [
        ("build/", {f"{PACKAGE}/build/features.py": ""}),
        ("*.tmp", {f"{PACKAGE}/build/features.py": "", f"{PACKAGE}/further.py": "from .build import features"}),
        (
            "build/",
            {f"{PACKAGE}/build/features.py": "", "tests/test_more.py": "import tumour_diagnosis.build.features"},
        ),
        ("build/", {f"{PACKAGE}/build/a.py": "from . import b", f"{PACKAGE}/build/b.py": "from . import a"}),
        (
            "fast.py",
            {
                f"{PACKAGE}/fast.py": "",
                f"{PACKAGE}/further.py": "try:\n    from . import fast\nexcept ImportError:\n    fast = None",
            },
        ),
        ("venv/", {"venv/lib/site.py": "import os", f"{PACKAGE}/further.py": "import os, site"}),
        ("names.py", {f"{PACKAGE}/names.py": "", f"{PACKAGE}/further.py": "import names"}),
        ("/odd.py", {f"{PACKAGE}/further.py": "this is not Python"}),
    ],
)
def test_what_the_image_does_not_need_or_has_is_not_told(told: Told, ignored: str, files: Mapping[str, str]):
    assert told(ignored, files) == []


def test_a_check_of_the_project_tells_it(root: Path):
    training = root / OWN / PACKAGE / "training.py"
    text = f"from tumour_diagnosis.build.features import scaled\n{training.read_text()}"
    write(root, "build/", {f"{PACKAGE}/build/features.py": "scaled = 1\n", f"{PACKAGE}/training.py": text})
    (checked,) = check_projects(["sound"], root=root, stacks=STACKS)
    assert [(each.what, each.said) for each in checked.problems] == [("imports", said(f"{PACKAGE}/build/features.py"))]


@pytest.mark.parametrize(
    "run", ["RUN protoc --python_out=. api.proto", "RUN python make.py > tumour_diagnosis/api_pb2.py"]
)
def test_a_module_that_the_dockerfile_may_make_is_a_note(root: Path, run: str):
    code = {f"{PACKAGE}/api_pb2.py": "x = 1\n", f"{PACKAGE}/further.py": "from tumour_diagnosis import api_pb2\n"}
    write(root, "*_pb2.py", code)
    project = load_project(root / OWN / "project.yaml")
    files = project_image(project).files(root)
    (found,) = check_ignored(project, root, files, f"FROM python\n{run}\n")
    assert (found.state, found.said) == ("note", said(f"{PACKAGE}/api_pb2.py") + ", unless its Dockerfile makes it")
    (other,) = check_ignored(project, root, files, "FROM python\n")
    assert other.state == "problem"
