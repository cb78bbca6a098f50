"""A server in the cluster rejects bad input with the name of the field, and keeps answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import DeployedProjects, Document, ask, row
from tests.environments.real_nodes.projects.sources import EXAMPLE

FIELD = "mean_radius"
BAD: dict[str, tuple[Callable[[Document], object], str]] = {
    "NaN": (lambda row: row.update({FIELD: float("nan")}), FIELD),
    "infinity": (lambda row: row.update({FIELD: float("inf")}), FIELD),
    "a text": (lambda row: row.update({FIELD: "17.99"}), FIELD),
    "a truth value": (lambda row: row.update({FIELD: True}), FIELD),
    "nothing": (lambda row: row.update({FIELD: None}), FIELD),
    "a missing field": (lambda row: row.pop(FIELD), FIELD),
    "a field too many": (lambda row: row.update(diagnosis="benign"), "diagnosis"),
}


def test_each_bad_field_is_answered_with_422_and_its_name(deployed: DeployedProjects, first_model: FirstModel) -> None:
    with deployed.server(EXAMPLE) as forward:
        for what, (spoil, field) in BAD.items():
            good, bad = row(deployed.copy.folder), row(deployed.copy.folder)
            spoil(bad)
            answer = ask(forward, {"instances": [good, bad]})
            assert answer.status == 422, what
            assert [problem["loc"] for problem in answer.body["detail"]] == [["instances", 1, field]], what


@pytest.mark.parametrize("body", [b"", b"{", b'{"instances": []}', b"[1]", b'{"rows": []}'])
def test_what_is_no_request_is_answered_with_422(
    deployed: DeployedProjects, first_model: FirstModel, body: bytes
) -> None:
    with deployed.server(EXAMPLE) as forward:
        assert ask(forward, body).status == 422


def test_a_body_that_is_too_large_is_answered_with_413_and_the_limit(
    deployed: DeployedProjects, first_model: FirstModel
) -> None:
    with deployed.server(EXAMPLE) as forward:
        answer = ask(forward, b" " * (1024 * 1024 + 1))
        assert (answer.status, answer.body["detail"]) == (
            413,
            "the body is larger than 1048576 bytes; send fewer rows at a time",
        )
        after: Any = ask(forward, {"instances": [row(deployed.copy.folder)]})
        assert after.status == 200


def test_the_command_names_row_and_column(deployed: DeployedProjects, first_model: FirstModel) -> None:
    said = deployed.refused("predict", EXAMPLE, "--data", '[{"mean_radius": "wide"}]')
    assert "row 1, column mean_radius: Input should be a valid number" in said
    assert "row 1, column mean_texture: is missing" in said
