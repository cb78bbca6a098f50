"""What `mlp up` has still to do until a model is in production."""

import pytest

from cli.first_model import missing_steps, projects_with_examples

TRAIN, STAGE, PRODUCE = ("train", "--follow"), ("promote", "--to", "staging"), ("promote", "--to", "production")


@pytest.mark.parametrize(
    ("aliases", "steps"),
    [
        ({}, [TRAIN, STAGE, PRODUCE]),
        ({"dev": "1"}, [STAGE, PRODUCE]),
        ({"dev": "2", "staging": "1"}, [PRODUCE]),
        ({"production": "1"}, []),
        ({"dev": "3", "staging": "2", "production": "1"}, []),
    ],
)
def test_only_what_is_missing_is_done(aliases: dict[str, str], steps: list[tuple[str, ...]]):
    assert missing_steps(aliases) == steps


def test_projects_are_asked_where_they_are_served_and_bring_an_example():
    assert [project.name for project in projects_with_examples("dev")] == ["tumour-diagnosis"]
    assert projects_with_examples("prod") == []
