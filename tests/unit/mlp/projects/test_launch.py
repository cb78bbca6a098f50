"""Steps of a launch: selected from the current state, each done once and in order, up to the first missing one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_workloads.project import Project, parse_project
from ml_workloads.runtime import sample_check
from ml_workloads.runtime.sample_check import Finding
from mlp.app import make_app
from mlp.console import PlainError
from mlp.projects.check import Checked
from mlp.projects.commands import Answer
from mlp.projects.launch import bring, check_upload, outcome
from mlp.projects.launch_steps import Kind, State, Target, next_step, steps
from tests.unit.ml_workloads.examples import SOUND

TARGET = Target(
    project="beta",
    environment="dev",
    served=True,
    pushed=False,
    key="projects/beta/rows.csv",
    secret="ml-platform-dev/projects/beta/warehouse",
    request="{}",
)
ALL = State(
    repository=True,
    image=True,
    bucket="lake",
    data=True,
    deployment=True,
    secret=True,
    aliases={"dev": "1", "staging": "1", "production": "1"},
    answered="1",
)


def test_with_all_of_it_there_nothing_is_left():
    assert {step.status for step in steps(TARGET, ALL)} == {"done"}
    assert next_step(TARGET, ALL) is None


@pytest.mark.parametrize(
    ("changes", "kind", "status", "said"),
    [
        (
            {"repository": False},
            "repository",
            "to do",
            "without what runs on the cluster: it makes the image repositories",
        ),
        ({"image": False}, "image", "to do", "mlp images build --env dev"),
        ({"data": False}, "data", "blocked", "aws s3 cp FILE s3://lake/projects/beta/rows.csv"),
        ({"deployment": False}, "deployment", "to do", "pulumi up --stack dev"),
        ({"secret": False}, "secret", "blocked", "--secret-id ml-platform-dev/projects/beta/warehouse"),
        ({"secret": False}, "secret", "blocked", "--secret-string file://FILE"),
        ({"aliases": {}}, "model", "to do", "mlp train --follow, promote --to staging, promote --to production"),
        ({"aliases": {"dev": "2"}}, "model", "to do", "mlp promote --to staging, promote --to production"),
        ({"answered": None}, "answer", "to do", "ask the model"),
        # The first that is missing comes first, whatever else is.
        ({"image": False, "aliases": {}, "data": False}, "image", "to do", ""),
        ({"image": None, "data": False}, "image", "unknown", ""),
    ],
)
def test_the_next_step_is_the_first_that_is_missing(changes: dict[str, object], kind: Kind, status: str, said: str):
    step = next_step(TARGET, replace(ALL, **changes))
    assert step is not None
    assert (step.kind, step.status) == (kind, status)
    assert said in step.said


def test_on_aws_images_are_pushed():
    step = next_step(replace(TARGET, pushed=True), replace(ALL, image=False))
    assert step is not None
    assert step.said == "mlp images push --env dev"


def test_what_a_project_does_not_have_is_no_step():
    plain = replace(TARGET, key=None, secret=None, served=False)
    kinds = [step.kind for step in steps(plain, State())]
    assert kinds == ["repository", "image", "deployment", "model"]


def test_a_file_that_was_given_is_uploaded_and_only_where_there_is_no_data():
    given = replace(TARGET, upload="rows.csv")
    step = next_step(given, replace(ALL, data=False))
    assert step is not None
    assert (step.status, step.said) == ("to do", "upload rows.csv to s3://lake/projects/beta/rows.csv")
    assert "rows.csv is not uploaded" in next(each.said for each in steps(given, ALL) if each.kind == "data")


def test_without_a_request_the_way_to_ask_is_told():
    step = next_step(replace(TARGET, request=None), replace(ALL, answered=None))
    assert step is not None
    assert step.status == "blocked"
    assert "ml_workloads/projects/beta/example.json" in step.said


@dataclass
class Record:
    """An environment in memory: `there` is its state, `broken` are steps without effect."""

    there: State
    broken: frozenset[Kind] = frozenset()
    done: list[Kind] = field(default_factory=list[Kind])

    def look(self, kind: Kind, state: State) -> State:
        match kind:
            case "data":
                return replace(state, bucket="lake", data=self.there.data)
            case "model":
                return replace(state, aliases=self.there.aliases)
            case _:
                return replace(state, **{kind: getattr(self.there, kind)})

    def do(self, kind: Kind, state: State) -> State:
        self.done.append(kind)
        if kind == "answer":
            return replace(state, answered="1")
        fact, value = ("aliases", ALL.aliases) if kind == "model" else (kind, True)
        if kind not in self.broken:
            self.there = replace(self.there, **{fact: value})
        return replace(state, **{fact: None})


NOTHING = State(repository=False, image=False, data=False, deployment=False, secret=True, aliases={})


def test_a_new_project_takes_every_step_once_in_order_and_a_second_launch_changes_nothing():
    world = Record(NOTHING)
    target = replace(TARGET, upload="rows.csv")
    assert bring(target, world) is True
    assert world.done == ["repository", "image", "data", "deployment", "model", "answer"]
    world.done.clear()
    assert bring(target, world) is False
    assert world.done == ["answer"]


def test_it_stops_before_the_deployment_where_the_data_is_missing():
    world = Record(NOTHING)
    with pytest.raises(PlainError, match="mlp projects launch beta --env dev"):
        bring(TARGET, world)
    assert world.done == ["repository", "image"]


def test_it_stops_before_the_training_where_the_secret_is_empty():
    world = Record(replace(ALL, deployment=False, secret=False, aliases={}))
    with pytest.raises(PlainError, match="has no value yet"):
        bring(TARGET, world)
    assert world.done == ["deployment"]


def test_a_step_that_brings_nothing_ends_it_instead_of_being_repeated():
    world = Record(replace(ALL, image=False), broken=frozenset({"image"}))
    with pytest.raises(PlainError, match=r"image: it was done .* and is still missing"):
        bring(TARGET, world)
    assert world.done == ["image"]


def test_the_last_words_say_whether_anything_was_changed_and_what_was_answered():
    answer = Answer(project="beta", version="1", predictions=["malignant"])
    assert outcome(TARGET, answer, changed=True) == "beta answers in dev with version 1: malignant"
    assert outcome(TARGET, answer, changed=False).startswith("Nothing was changed")
    assert "not served" in outcome(replace(TARGET, served=False), None, changed=True)


def reading(path: str) -> Project:
    return parse_project({**SOUND, "data": {**SOUND["data"], "source": {"type": "s3", "path": path}}}, "example")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("rows.CSV", "mine.csv"),
        ("rows.csv", "MINE.Csv"),
        ("rows.csv.gz", "mine.v2.CSV.GZ"),
        ("rows.parquet", "mine.csv.parquet"),
        ("2024/", "mine.csv"),
        ("2024/", "MINE.PARQUET"),
    ],
)
def test_a_file_of_the_sources_format_may_be_uploaded(path: str, file: str):
    check_upload(reading(path), Path(file))


@pytest.mark.parametrize(
    ("path", "file", "said"),
    [
        ("rows.csv", "mine.parquet", r"ends with \.csv"),
        ("rows.csv", "mine.csv.gz", r"ends with \.csv"),
        ("rows.csv.gz", "mine.gz", r"ends with \.csv\.gz"),
        ("2024/", "mine.xlsx", r"ends with \.csv, .* or \.parquet"),
        ("2024/", "_mine.csv", "does not begin with _"),
    ],
)
def test_a_file_that_training_would_not_read_is_refused_before_anything_is_done(path: str, file: str, said: str):
    with pytest.raises(PlainError, match=said):
        check_upload(reading(path), Path(file))


def test_data_of_a_project_that_reads_no_object_is_not_taken_for_a_sample_in_silence():
    source = {"type": "local", "path": "rows.csv"}
    project = parse_project({**SOUND, "data": {**SOUND["data"], "source": source}}, "example")
    with pytest.raises(PlainError, match=r"nothing is uploaded for data\.source\.type local; .* --sample mine\.csv"):
        check_upload(project, Path("mine.csv"))


@dataclass
class Launches:
    """Runner of `mlp projects launch churn` up to the end of its check.

    `order` lists its steps, `tried` the files of rows that it checked.
    """

    monkeypatch: pytest.MonkeyPatch
    state: sample_check.State = "problem"
    order: list[str] = field(default_factory=list[str])
    tried: list[Path | None] = field(default_factory=list[Path | None])
    uploads: list[str | None] = field(default_factory=list[str | None])

    def __call__(self, *options: str) -> Any:
        environment = SimpleNamespace(name="dev", prefix="ml-platform-dev", region="us-east-1", cluster="dev-eks")
        place = SimpleNamespace(project=reading("rows.csv"), environment=environment, role="role")

        def check(_names: object, sample: Path | None, **_: object) -> list[Checked]:
            self.order.append("check")
            self.tried.append(sample)
            finding = Finding(what="sample", state=self.state, said="too slow")
            return [Checked(name="churn", findings=(finding,))]

        def brought(target: Target, _world: object) -> bool:
            self.uploads.append(target.upload)
            raise PlainError("stops here")

        self.monkeypatch.setattr("mlp.projects.launch.find_place", lambda *_: place)
        self.monkeypatch.setattr("mlp.projects.launch.reach", lambda _: self.order.append("reach"))
        self.monkeypatch.setattr("mlp.projects.launch.check_projects", check)
        self.monkeypatch.setattr("mlp.projects.launch.bring", brought)
        return CliRunner().invoke(make_app(), ["projects", "launch", "churn", *options])


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    return Launches(monkeypatch)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for name in ("few.csv", "all.csv"):
        (tmp_path / name).write_text("a\n1\n")
    return str(tmp_path / "few.csv"), str(tmp_path / "all.csv")


def test_rows_to_try_are_never_uploaded(launches: Launches, files: tuple[str, str]):
    few, whole = files
    launches.state = "ok"
    for options in (["--sample", few], ["--data", whole], ["--sample", few, "--data", whole], []):
        launches(*options)
    assert [path and str(path) for path in launches.tried] == [few, whole, few, None]
    assert launches.uploads == [None, whole, whole, None]


def test_tools_and_credentials_are_looked_at_before_the_code(launches: Launches):
    done = launches()
    assert launches.order == ["reach", "check"]
    assert "churn is not ready" in done.output


def test_without_the_engine_nothing_else_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def fail(*_: object, **__: object) -> None:
        pytest.fail("the code was checked")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("mlp.projects.launch.check_projects", fail)
    done = CliRunner().invoke(make_app(), ["projects", "launch", "tumour-diagnosis"])
    assert (done.exit_code, "there is no pulumi on PATH" in done.stderr) == (1, True), done.output


def test_a_note_of_the_check_is_told_and_stops_nothing(launches: Launches):
    launches.state = "note"
    done = launches()
    assert "note: sample: too slow" in " ".join(done.output.split())
    assert "stops here" in done.output
