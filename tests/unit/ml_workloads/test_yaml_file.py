"""Project files as people write them: anchors and merges work, and ambiguous values are rejected."""

from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from ml_workloads.project import load_project
from ml_workloads.project.yaml_file import YamlError, read_yaml
from tests.unit.ml_workloads.examples import SOUND
from validation.errors import SettingsError


def test_a_project_may_merge_what_it_has_written_before(tmp_path: Path):
    text = yaml.safe_dump({key: value for key, value in SOUND.items() if key not in ("training", "serving")})
    text += dedent("""
        training:
          entrypoint: churn.training:train
          resources: &small
            cpu: 500m
            memory: 1Gi
          gate: {metric: f1, minimum: 0.8}
        serving:
          online:
            resources:
              <<: *small
              memory: 2Gi
    """)
    path = tmp_path / "churn" / "project.yaml"
    path.parent.mkdir()
    path.write_text(text)
    online = load_project(path).serving.online
    assert online is not None
    assert (online.resources.cpu, online.resources.memory) == ("500m", "2Gi")


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("a: &s {x: 1}\nb: {<<: *s, y: 2}", {"a": {"x": 1}, "b": {"x": 1, "y": 2}}),
        ("a: &s {x: 1, y: 1}\nb: {x: 2, <<: *s}", {"a": {"x": 1, "y": 1}, "b": {"x": 2, "y": 1}}),
        (
            "a: [&s {x: 1}, &t {x: 2, y: 2}]\nb: {<<: [*s, *t]}",
            {"a": [{"x": 1}, {"x": 2, "y": 2}], "b": {"x": 1, "y": 2}},
        ),
        # An inner mapping that is merged, and used elsewhere before it is built itself.
        (
            "r: &r {x: 1}\no: {i: &s {<<: *r, x: 2}}\nb: {<<: *s, y: 3}",
            {"r": {"x": 1}, "o": {"i": {"x": 2}}, "b": {"x": 2, "y": 3}},
        ),
        ("a: &s [1]\nb: *s", {"a": [1], "b": [1]}),
        ("'<<': 1", {"<<": 1}),
        ("a: =", {"a": "="}),
        ("[1e-3, 1E5, -2e+3, +1.5e3, .5e1, 2.e-1]", [0.001, 100_000.0, -2000.0, 1500.0, 5.0, 0.2]),
        ("{1e3: a}", {1000.0: "a"}),
        (
            "[1e, e3, 1e-3x, x1e-3, 1e-, 1e3.5, --1e3, '1e-3', \"1e-3\", !!str 1e-3]",
            ["1e", "e3", "1e-3x", "x1e-3", "1e-", "1e3.5", "--1e3", "1e-3", "1e-3", "1e-3"],
        ),
        ("a: |-\n  1e-3", {"a": "1e-3"}),
        ("[0x1e3, 1.0e-3, 1.0e+3]", [0x1E3, 0.001, 1000.0]),
        ("a: 0\nb: -1\nc: 0.5\nd: 1_000\ne: 0x10", {"a": 0, "b": -1, "c": 0.5, "d": 1000, "e": 16}),
    ],
)
def test_what_it_means(text: str, content: object):
    assert read_yaml(text) == content


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "'a' stands here twice"),
        ("s: &s {x: 1}\nb: {<<: *s, y: 1, y: 2}", "'y' stands here twice"),
        ("s: &s {x: 1}\nb: {<<: *s, <<: *s}", "'<<' stands here twice; write one, with a list"),
        ("r: &r {x: 1}\no: {i: &s {<<: *r, x: 2, x: 3}}\nb: {<<: *s}", "'x' stands here twice"),
        ("1: a\n0x1: b", "1 stands here twice"),
        ("<<: 3", "expected a mapping or list of mappings for merging"),
        ("a: 3:00", "'3:00' stands here, and YAML reads it as 180; put it into quotes, or write 180"),
        ("a: 1:30.5", "'1:30.5' stands here, and YAML reads it as 90.5"),
        ("a: 010", "'010' stands here, and YAML reads it as 8"),
        ("a: -017", "'-017' stands here, and YAML reads it as -15"),
        ("a: @daily", "put text that begins with * & ! % @ `"),
        ("a: */5 * * * *", "put text that begins with *"),
        ("a: what: now", "or that holds ': ', into quotes"),
        ("a:\n\tb: 1", "line 2, column 1: got a tab; indent with spaces"),
        ("a:\n  b: 1\n  \tc: 2", "line 3, column 3: got a tab; indent with spaces"),
        ("a: [\n\t1]", "line 2, column 1: got a tab; indent with spaces"),
        ("é:\t1", "line 1, column 3: got a tab; indent with spaces, and write spaces between name and value"),
        ("a:\r\n\tb: 1", "line 2, column 1: got a tab"),
        ("a: 2026-02-30", "put it into quotes if it is text"),
        ("a: &x [*x]", "an anchor holds itself"),
    ],
)
def test_what_would_be_read_otherwise_than_it_looks_is_refused(text: str, said: str):
    with pytest.raises(YamlError) as refused:
        read_yaml(text)
    assert said in str(refused.value)


def test_types_of_values_are_those_that_yaml_1_2_gives_them():
    assert repr(read_yaml("[1e3, 1e+3, '1e3', 1000]")) == "[1000.0, 1000.0, '1e3', 1000]"


@pytest.mark.parametrize("minimum", ["1e-3", "1E-3", "1.0e-3"])
def test_a_bound_may_be_written_with_an_exponent(tmp_path: Path, minimum: str):
    path = tmp_path / "churn" / "project.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(SOUND).replace("minimum: 0.8", f"minimum: {minimum}"))
    assert load_project(path).training.gate.minimum == 0.001


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("no", "data.target: got false; write text; put words such as yes, no, on and off into quotes"),
        ("2026-01-01", 'data.target: got "2026-01-01"; write text; put dates into quotes'),
        ("1.34", "data.target: got 1.34; write text; put numbers such as 1.34 into quotes"),
        ("~", "data.target: got null; write text; put the words null and ~ into quotes"),
        ("null", "data.target: got null; write text; put the words null and ~ into quotes"),
    ],
)
def test_words_that_are_no_text_are_told_to_be_put_into_quotes(tmp_path: Path, written: str, said: str):
    path = tmp_path / "churn" / "project.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(SOUND).replace("target: leaves", f"target: {written}"))
    with pytest.raises(SettingsError) as refused:
        load_project(path)
    assert said in str(refused.value)


def test_a_key_that_is_no_text_is_named(tmp_path: Path):
    path = tmp_path / "churn" / "project.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(SOUND) + "on: 1\n")
    with pytest.raises(SettingsError) as refused:
        load_project(path)
    assert "write names as text" in str(refused.value)
