"""The check reports, before a build, Dockerfile errors and imports that work on this machine only."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from ml_workloads.project import load_project
from ml_workloads.project.image import project_image
from mlp.environments import ROOT
from mlp.projects.check_image import check_dockerfile, image_installs_more, installs_more
from mlp.projects.check_imports import check_imports
from mlp.projects.dockerfiles import outcome, stages
from tests.unit.mlp.projects.repositories import EXAMPLE, add_project, make_repository

OWN = "ml_workloads/projects/sound"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("repository")
    add_project(make_repository(made), "sound", {}, {})
    return made


def told(root: Path, text: str) -> list[str]:
    """Return the problems of the project with this Dockerfile."""
    project = load_project(root / OWN / "project.yaml")
    files = frozenset(project_image(project).files(root))
    kept = (root / OWN / "Dockerfile").read_text()
    try:
        (root / OWN / "Dockerfile").write_text(text)
        return [each.said for each in check_dockerfile(project, root, files) if each.state != "ok"]
    finally:
        (root / OWN / "Dockerfile").write_text(kept)


SOUND = f"""# syntax=docker/dockerfile:1
ARG VERSION=3.11
FROM python:${{VERSION}}-slim AS packages
COPY ml_workloads/runtime/requirements.txt /tmp/requirements.txt
FROM python:3.11-slim
ENV PYTHONPATH=/app:/packages \\
    # a comment inside
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=packages /packages /packages
COPY ml_workloads/__init__.py ml_workloads/__init__.py
COPY ml_workloads/runtime ml_workloads/runtime
COPY {OWN}/tumour_diagnosis tumour_diagnosis
RUN python -m tumour_diagnosis.dataset data/tumours.csv
USER 65532:65532
"""


def test_the_example_and_other_ways_to_write_it_are_sound(root: Path):
    assert told(root, SOUND) == []
    assert (
        told(root, (ROOT / f"ml_workloads/projects/{EXAMPLE}/Dockerfile").read_text().replace(EXAMPLE, "sound")) == []
    )
    module = f"COPY {OWN}/tumour_diagnosis tumour_diagnosis"
    for other in (
        f'COPY ["{OWN}/tumour_diagnosis", "/app/tumour_diagnosis"]',
        f"COPY {OWN}/ ./",
        f"COPY --chown=65532 {OWN}/tumour_diagnosis/ tumour_diagnosis/",
        f"COPY {OWN} /app",
    ):
        assert told(root, SOUND.replace(module, other)) == [], other
    assert (
        told(root, SOUND.replace("COPY ml_workloads/runtime ml_workloads/runtime", "COPY ml_workloads ml_workloads"))
        == []
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("FROM python:3.11-slim\n", "FROM python\n", "names no tag"),
        ("FROM python:3.11-slim\n", "FROM example.com:5000/python\n", "names no tag"),
        ("FROM python:3.11-slim\n", "FROM python:latest\n", "another image each week"),
        ("USER 65532:65532\n", "", "there is no USER"),
        ("USER 65532:65532\n", "USER root\n", "USER root"),
        ("USER 65532:65532\n", "USER 0:0\n", "USER 0:0"),
        ("COPY ml_workloads/runtime ml_workloads/runtime\n", "", "nothing copies ml_workloads/runtime"),
        ("COPY ml_workloads/__init__.py ml_workloads/__init__.py\n", "", "nothing copies ml_workloads/__init__.py"),
        (f"COPY {OWN}/tumour_diagnosis tumour_diagnosis\n", "", f"nothing copies {OWN}/tumour_diagnosis"),
        (f"COPY {OWN}/tumour_diagnosis tumour_diagnosis", f"COPY {OWN}/tumour_diagnosis .", "lands in"),
        (f"COPY {OWN}/tumour_diagnosis tumour_diagnosis", f"COPY {OWN} /code/", "lands in /code"),
        (f"COPY {OWN}/tumour_diagnosis tumour_diagnosis", "COPY tumour_diagnosis tumour_diagnosis", "has no such file"),
        (OWN, "ml_workloads/projects/other", "sees only its own project"),
        ("WORKDIR /app\n", f"WORKDIR /app\nCOPY {OWN}/project.yaml .\n", "the build leaves it out"),
        ("WORKDIR /app\n", f"WORKDIR /app\nADD {OWN}/*.parquet .\n", "there is no such file"),
        ("WORKDIR /app\n", "WORKDIR /app\nCOPPY a b\n", "'COPPY' is no instruction"),
        ("RUN python -m tumour_diagnosis.dataset data/tumours.csv\n", "", "nothing copies or writes data/tumours.csv"),
    ],
)
def test_a_mistake_is_told_with_what_to_write(root: Path, old: str, new: str, said: str):
    assert old in SOUND
    found = told(root, SOUND.replace(old, new))
    assert any(said in each for each in found), found


def test_a_stage_by_name_brings_its_copies_along():
    text = "FROM a:1 AS base\nWORKDIR /app\nCOPY x y\nFROM b:1 AS other\nCOPY z z\nFROM base\nUSER 7\n"
    found, missing, _ = outcome(stages(text), [PurePosixPath("x"), PurePosixPath("z")])
    assert found.placed == {PurePosixPath("/app/y"): PurePosixPath("x")}
    assert (found.user, found.folder, missing) == ("7", PurePosixPath("/app"), ())


MODULE = f"COPY {OWN}/tumour_diagnosis tumour_diagnosis\n"


@pytest.mark.parametrize(
    "text",
    [
        SOUND.replace("\nCOPY", "\ncopy\t").replace("USER ", "user\t"),
        "\ufeff" + SOUND,
        SOUND.replace(MODULE, f"COPY {OWN}/tumour_diagnosi* tumour_diagnosis/\n"),
        SOUND.replace(
            MODULE, "ARG PROJECT=sound\nCOPY ml_workloads/projects/$PROJECT/tumour_diagnosis tumour_diagnosis\n"
        ),
        SOUND.replace("ARG VERSION=3.11", "ARG VERSION=3.11\nARG P=sound").replace(
            MODULE, "ARG P\nCOPY ml_workloads/projects/${P}/tumour_diagnosis tumour_diagnosis\n"
        ),
        SOUND.replace(MODULE, "ENV P sound\nCOPY ml_workloads/projects/${P:-x}/tumour_diagnosis tumour_diagnosis\n"),
        SOUND.replace("USER", "RUN <<EOF\nUSER nonsense\nCOPY a b\nEOF\nUSER"),
        SOUND.replace("USER", "RUN <<-'END' sh\n\techo\n\tEND\nRUN echo $((1<<2)) && cat <<<word\nUSER"),
        "# escape=`\n"
        + SOUND.replace("PYTHONUNBUFFERED=1", "A=1 `\n    # inside\n\n    B=2").replace(
            "packages \\\n", "packages `\n"
        ),
        SOUND.replace("FROM python:3.11-slim\n", "FROM python:3.11-slim AS build\n").replace(
            "USER", "FROM python:3.11-slim\nENV PYTHONPATH=/app\nWORKDIR /app\nCOPY --from=build /app /app\nUSER"
        ),
        SOUND.replace("FROM python:3.11-slim\n", "FROM python:3.11-slim\n").replace(
            "USER", "FROM python:3.11-slim\nWORKDIR /app\nCOPY --from=1 /app/ ./\nUSER"
        ),
    ],
)
def test_what_docker_builds_has_no_problem(root: Path, text: str):
    assert told(root, text) == []


@pytest.mark.parametrize(
    "instead",
    [
        "ARG PROJECT\nCOPY ml_workloads/projects/$PROJECT/tumour_diagnosis tumour_diagnosis\n",
        "COPY --from=example.com/build:1 /app /app\n",
        f"COPY {OWN}/tumour_diagnosis /src/\nRUN mv /src tumour_diagnosis\n",
    ],
)
def test_what_cannot_be_followed_is_a_note_and_no_problem(root: Path, instead: str):
    project = load_project(root / OWN / "project.yaml")
    files = frozenset(project_image(project).files(root))
    kept = (root / OWN / "Dockerfile").read_text()
    (root / OWN / "Dockerfile").write_text(SOUND.replace(MODULE, instead))
    try:
        found = check_dockerfile(project, root, files)
    finally:
        (root / OWN / "Dockerfile").write_text(kept)
    assert {each.state for each in found} == {"note"}, found
    assert "that may be so because line" in found[0].said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("RUN python -m tumour_diagnosis.datasett data", "the project has no"),
        ("RUN python -m tumour_diagnosis", "finds no such module"),
        ('RUN ["python", "-u", "-m", "tumour_diagnosis.gone"]', "finds no such module"),
        ("RUN ./prepare.sh", "nothing copies it to /app/prepare.sh"),
        ("RUN echo && ./prepare.sh", "nothing copies it to /app/prepare.sh"),
        (f"COPY {OWN}/prepare.sh .", "there is no such file"),
        ("COPY ml_workloads/runtime/contract.py .\nRUN ./contract.py", "is not executable"),
        ("COPY ml_workloads/runtime/contract.py .\nRUN python ./contract.py", None),
        ("COPY --chmod=755 ml_workloads/runtime/contract.py .\nRUN ./contract.py", None),
        ("RUN python -m compileall /app && python -m pip --version", None),
        ("RUN curl -o prepare.sh https://example.org/x\nRUN ./prepare.sh", None),
    ],
)
def test_a_run_that_finds_nothing_to_run_is_told(root: Path, line: str, said: str | None):
    found = told(root, SOUND.replace("USER", f"{line}\nUSER"))
    assert len(found) == (said is not None), found
    assert said is None or said in found[0]


def test_a_module_that_is_copied_after_its_run_is_told(root: Path):
    run = "RUN python -m tumour_diagnosis.dataset data/tumours.csv\n"
    found = told(root, SOUND.replace(run, "").replace(MODULE, run + MODULE))
    assert len(found) == 1, found
    assert "copy it before this line" in found[0]


def test_what_stands_in_a_heredoc_is_no_instruction():
    found = stages("FROM a:1\nRUN <<EOF\nnonsense here\nCOPY a b\nEOF\nUSER 7\n")
    assert [each.keyword for each in found[0].instructions] == ["RUN", "USER"]


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ("RUN pip install --target /packages -r /tmp/requirements.txt", False),
        ("RUN pip install lightgbm==4.6.0", True),
        ("RUN apt-get update && apt-get install -y libgomp1", True),
        ("RUN python -m tumour_diagnosis.dataset data", False),
        (f"COPY {OWN}/requirements.txt .", True),
    ],
)
def test_whether_an_image_has_more_than_the_runtime(line: str, more: bool):
    assert installs_more(f"FROM a:1\n{line}\n") is more


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ("# für\nFROM a:1\nRUN pip install b\n".encode("latin-1"), True),
        (b"FROM a:1\n# \xff\n", False),
        ("FROM a:1\nRUN pip install b\n".encode("utf-16"), False),
        (b"\xef\xbb\xbfFROM a:1\nRUN pip install b\n", True),
    ],
)
def test_a_dockerfile_in_another_encoding_is_no_failure(tmp_path: Path, content: bytes, more: bool):
    (tmp_path / "Dockerfile").write_bytes(content)
    assert image_installs_more(tmp_path / "Dockerfile") is more


def test_a_dockerfile_that_is_not_there_or_no_file_installs_nothing(tmp_path: Path):
    assert not image_installs_more(tmp_path / "Dockerfile")
    assert not image_installs_more(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfimport json\n",
        "# coding: latin-1\nNAME = 'für'\n".encode("latin-1"),
    ],
)
def test_code_in_an_encoding_that_python_knows_is_read(root: Path, content: bytes):
    file = root / OWN / "tumour_diagnosis" / "further.py"
    try:
        file.write_bytes(content)
        assert check_imports(load_project(root / OWN / "project.yaml"), root, more=False) == []
    finally:
        file.unlink()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import moto", "the package moto is installed here, and not in the image"),
        ("def later():\n    from pytest import mark", ":2: the package pytest is installed here"),
        ("from ml_workloads import deployment", "the image has no ml_workloads.deployment"),
        ("import mlp.console", "mlp is a folder of this repository"),
        ("import sklearn, numpy as np, json, tumour_diagnosis.contract", None),
        ("from . import contract\nfrom ml_workloads.runtime.gate import Gate", None),
        ("try:\n    import moto\nexcept ImportError:\n    moto = None", None),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import moto", None),
        ("import not_anywhere_at_all", None),
    ],
)
def test_an_import_that_only_this_machine_has_is_told(root: Path, code: str, said: str | None):
    project = load_project(root / OWN / "project.yaml")
    (root / "mlp").mkdir(exist_ok=True)
    file = root / OWN / "tumour_diagnosis" / "further.py"
    try:
        file.write_text(code + "\n")
        found = [each.said for each in check_imports(project, root, more=False)]
    finally:
        file.unlink()
    assert len(found) == (0 if said is None else 1), found
    assert said is None or said in found[0]


def test_an_image_that_installs_more_may_have_any_package(root: Path):
    project = load_project(root / OWN / "project.yaml")
    file = root / OWN / "tumour_diagnosis" / "further.py"
    try:
        file.write_text("import moto\n")
        assert check_imports(project, root, more=True) == []
    finally:
        file.unlink()
