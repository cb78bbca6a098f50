"""`mlp predict`: the request to the model's server, and the output for its answer."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from ml_workloads.project import parse_project
from mlp.app import make_app
from mlp.projects import predict
from mlp.projects.environment import Environment, Place
from mlp.projects.session import Session
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.mlp.projects.model_servers import Model


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture(autouse=True)
def deployed(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a project whose CSV marks missing values with NA."""
    environment = Environment(
        name="dev", region="us-east-1", prefix="ml-platform-dev", cluster="ml-platform-dev-eks", teams=frozenset()
    )
    project = parse_project({**SOUND, "data": {**SOUND["data"], "missing_values": ["NA"]}}, "example")
    nothing = cast(Any, None)
    session = Session(place=Place(project=project, environment=environment), aws=nothing, cluster=nothing)

    @contextmanager
    def opened(_project: str, _env: str) -> Generator[Session]:
        yield session

    monkeypatch.setattr(predict, "opened", opened)
    monkeypatch.setattr(predict, "serving", lambda _session, **_: model.forwarded())


def mlp(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), list(arguments))


def takes(model: Model, **properties: Any) -> None:
    """Let the server describe a model with these columns."""
    schemas = {
        "PredictRequest": {"properties": {"instances": {"items": {"$ref": "#/components/schemas/Instance"}}}},
        "Instance": {"properties": properties, "required": list(properties)},
    }
    model.answers["/openapi.json"] = (200, {"components": {"schemas": schemas}})


@pytest.mark.parametrize("data", ['{"age": 41}', '[{"age": 41}]', '{"instances": [{"age": 41}]}'])
def test_a_prediction_comes_with_the_version_that_made_it(model: Model, data: str):
    done = mlp("predict", "churn", "--data", data)
    assert done.exit_code == 0
    assert "yes" in done.stdout
    assert "Answered by version 3." in done.stdout
    assert model.bodies[-1] == {"instances": [{"age": 41}]}


@pytest.mark.parametrize(
    ("code", "detail", "said"),
    [
        (
            422,
            [{"loc": ["instances", 0, "age"], "msg": "should be a number"}],
            "row 1, column age: should",
        ),
        (413, "larger than 1048576 bytes", "the request is too large: larger than 1048576 bytes"),
        (503, "no version has the alias production", "cannot answer now: no version has the alias production"),
    ],
)
def test_a_refusal_ends_with_1_and_names_what_is_wrong(model: Model, code: int, detail: Any, said: str):
    model.answers["/predict"] = (code, {"detail": detail})
    done = mlp("predict", "churn", "--data", "{}")
    assert done.exit_code == 1
    assert said in done.stderr


def test_without_data_it_says_what_the_model_takes_and_ends_with_2(model: Model):
    takes(model, age={"type": "integer"})
    done = mlp("predict", "churn", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout) == [{"name": "age", "type": "integer", "required": True}]


def test_without_a_model_it_says_so_and_what_to_promote(model: Model):
    model.answers["/openapi.json"] = (200, {})
    model.answers["/readyz"] = (503, {"problem": "no version has the alias production"})
    done = mlp("predict", "churn")
    assert done.exit_code == 1
    assert "no model yet: no version has the alias production; mlp models churn" in done.stderr


def test_a_table_is_read_by_the_words_for_missing_values_of_the_project(model: Model, tmp_path: Path):
    takes(model, age={"type": "integer"}, town={"type": "string"}, plan={"enum": [1, 2]})
    table = tmp_path / "rows.csv"
    table.write_bytes(b"\xef\xbb\xbfage,town,plan\n41,,2\nNA,NA,NA\n")
    done = mlp("predict", "churn", "--data", str(table))
    assert done.exit_code == 0, done.output
    assert model.bodies[-1] == {
        "instances": [{"age": 41, "town": "", "plan": 2}, {"age": None, "town": None, "plan": None}]
    }


def test_standard_input_may_begin_with_a_byte_order_mark(model: Model):
    takes(model, age={"type": "integer"})
    for given in ("\ufeffage\n41\n", '\ufeff{"age": 41}'):
        done = CliRunner().invoke(make_app(), ["predict", "churn", "--data", "-"], input=given)
        assert done.exit_code == 0, done.output
        assert model.bodies[-1] == {"instances": [{"age": 41}]}


def test_standard_input_that_is_no_text_is_told_in_one_sentence():
    done = CliRunner().invoke(make_app(), ["predict", "churn", "--data", "-"], input=b"age\n\xff\n")
    assert done.exit_code == 1
    assert "--data '-': it cannot be read" in done.stderr
