"""Messages about a project's code when its trial did not finish."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ml_workloads.project import load_project
from ml_workloads.runtime.sample_check import Finding, State
from mlp.projects.check_code import _read, request_for
from tests.unit.mlp.projects.repositories import PROJECTS, add_project

BEFORE = ("data.contract", "training.entrypoint", "data.contract")


def unfinished(folder: Path, *stages: str, slow_sample: State = "problem") -> Finding:
    answer = folder / "answer.jsonl"
    answer.write_text("".join(json.dumps({"stage": stage}) + "\n" for stage in (*BEFORE, *stages)))
    (found,) = _read(answer, "", 60.0, slow_sample).findings
    return found


@pytest.mark.parametrize("stages", [("sample",), ("sample", "data.contract")])
def test_rows_that_take_too_long_are_a_problem_of_a_check_and_a_note_of_a_launch(
    tmp_path: Path, stages: tuple[str, ...]
):
    checked = unfinished(tmp_path, *stages, "killed")
    assert (checked.what, checked.state) == ("sample", "problem")
    assert "within 60 s" in checked.said
    assert checked.said.endswith("give fewer with --sample FILE, or give --seconds more if it needs that")
    launched = unfinished(tmp_path, *stages, "killed", slow_sample="note")
    assert (launched.what, launched.state) == ("sample", "note")
    assert launched.said.endswith("give fewer with --sample FILE")


def test_rows_that_are_too_many_for_the_memory_are_a_note_of_a_launch(tmp_path: Path):
    assert unfinished(tmp_path, "sample").state == "problem"
    launched = unfinished(tmp_path, "sample", slow_sample="note")
    assert (launched.state, "want of memory" in launched.said) == ("note", True)


@pytest.mark.parametrize("stages", [("killed",), ("sample", "data.contract"), ("sample", "data.contract", "training")])
def test_code_that_does_not_come_to_its_end_stays_a_problem_of_a_launch(tmp_path: Path, stages: tuple[str, ...]):
    assert unfinished(tmp_path, *stages, slow_sample="note").state == "problem"


def test_an_example_that_takes_too_long_is_not_told_as_rows(tmp_path: Path):
    found = unfinished(tmp_path, "sample", "data.contract", "training", "example.json", "killed", slow_sample="note")
    assert (found.what, found.state) == ("example.json", "problem")


@pytest.mark.parametrize("content", [b"# \xff\nFROM a:1\n", "FROM a:1\n".encode("utf-16")])
def test_a_dockerfile_in_another_encoding_keeps_no_code_from_being_tried(tmp_path: Path, content: bytes):
    add_project(tmp_path / PROJECTS, "sound", {"Dockerfile": content}, {})
    project = load_project(tmp_path / PROJECTS / "sound" / "project.yaml")
    assert request_for(project, tmp_path, tmp_path / "answer", None, 60.0).image_installs_more is False
