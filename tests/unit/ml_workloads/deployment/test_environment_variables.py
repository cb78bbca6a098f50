"""A container reads the exact values of the project's file, with any `$` in them."""

import itertools
import json
from typing import Any

import pytest

from ml_workloads.deployment.environment_variables import escaped
from tests.unit.ml_workloads.deployment.platforms import deployed, expanded, project, variables

KNOWN = {"HOME": "/root", "A": "a", "": "nothing"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("$(HOME)", "/root"),
        ("$$(HOME)", "$(HOME)"),
        ("$$$(HOME)", "$/root"),
        ("$(NONE)", "$(NONE)"),
        ("$$it's$$", "$it's$"),
        ("a$", "a$"),
        ("$(HOME", "$(HOME"),
        ("$HOME ${HOME} $1", "$HOME ${HOME} $1"),
    ],
)
def test_the_kubelet_changes_some_dollars(text: str, read: str):
    assert expanded(text, KNOWN) == read


@pytest.mark.parametrize(
    "text",
    ["", "$$it's$$", "'^$(HOME)$'", "$", "$$", "$$$", "a$", "${A}", "$1", "$(NONE)", "$($(HOME))", "\\$(A)", "€$(A)"],
)
def test_a_value_is_read_as_it_was_written(text: str):
    assert expanded(escaped(text), KNOWN) == text


def test_every_short_text_of_these_characters_is_read_as_it_was_written():
    for length in range(8):
        for characters in itertools.product("$()A", repeat=length):
            text = "".join(characters)
            assert expanded(escaped(text), KNOWN) == text


QUERY = "SELECT * FROM t WHERE a ~ '^$(HOME)$' AND b = $$it's$$ AND c = '$$' ORDER BY id"


def data_of(source: dict[str, Any], **data: Any) -> dict[str, str]:
    return variables(deployed(project(data={"source": source, **data})).pod("conductor"))


def test_a_query_reaches_the_pod_with_its_dollars():
    given = data_of({"type": "sql", "secret": "warehouse", "query": QUERY})
    assert json.loads(given["CONDUCTOR_DATA"])["query"] == QUERY


def test_other_words_of_the_file_do_too():
    given = data_of(
        {"type": "local", "path": "data/a.csv"}, target="$(CONDUCTOR_PROJECT)", missing_values=["$$", "$(A)"]
    )
    assert given["CONDUCTOR_TARGET"] == "$(CONDUCTOR_PROJECT)"
    assert json.loads(given["CONDUCTOR_MISSING_VALUES"]) == ["$$", "$(A)"]


def test_a_value_without_dollars_is_written_as_before():
    for part in ("conductor", "fit", "worker"):
        [container] = deployed().pod(part)["containers"]
        plain = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        assert {plain.get("CONDUCTOR_TARGET"), plain.get("TRAINING_TARGET")} <= {"leaves", None}
        assert not [name for name, value in plain.items() if "$" in value]
