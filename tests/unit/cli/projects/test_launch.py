"""Which steps a launch takes from what there is, and that it does each once, in order, and stops at what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from cli.plain import PlainError
from cli.projects.commands import Answer
from cli.projects.launch import bring, outcome
from cli.projects.launch_steps import Kind, State, Target, next_step, steps

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
            "without what runs on the cluster: it makes the image repository",
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
    """An environment in memory: `there` is what it has, `broken` are steps that bring nothing."""

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
