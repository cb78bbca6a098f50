"""Input rows of `mlp predict`, and its messages for the server's rejections."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from mlp.console import PlainError
from mlp.projects.rows import ModelColumn, columns_of, from_csv, from_json, read, refused

COLUMNS = (
    ModelColumn(name="age", type="integer", required=True),
    ModelColumn(name="spent", type="number", required=True),
    ModelColumn(name="postcode", type="string", required=True),
    ModelColumn(name="member", type="boolean", required=False),
)


def nothing() -> str:
    raise AssertionError("standard input was not asked for")


@pytest.mark.parametrize(
    "text",
    ['{"age": 41}', '[{"age": 41}]', '{"instances": [{"age": 41}]}', ' [\n {"age": 41} ]'],
)
def test_one_row_a_list_and_the_whole_document_mean_the_same(text: str):
    assert read(text, nothing) == (text, False)
    assert from_json(text) == {"instances": [{"age": 41}]}


def test_a_column_of_the_name_instances_is_no_document():
    assert from_json('{"instances": 3}') == {"instances": [{"instances": 3}]}


def test_files_and_standard_input_are_read(tmp_path: Path):
    table = tmp_path / "rows.CSV"
    table.write_text("age\n41\n")
    assert read(str(table), nothing) == ("age\n41\n", True)
    document = tmp_path / "rows.json"
    document.write_text("\ufeff[]")  # as some editors begin files
    assert read(str(document), nothing) == ("[]", False)
    assert read("-", lambda: "age\n41\n") == ("age\n41\n", True)
    assert read("-", lambda: '[{"age": 41}]') == ('[{"age": 41}]', False)


def test_a_byte_order_mark_is_passed_over_wherever_rows_come_from(tmp_path: Path):
    table = tmp_path / "rows.csv"
    table.write_text("\ufeffage\n41\n")
    assert read(str(table), nothing) == ("age\n41\n", True)
    assert read("-", lambda: "\ufeffage\n41\n") == ("age\n41\n", True)
    assert read("-", lambda: '\ufeff{"age": 41}') == ('{"age": 41}', False)
    assert read('\ufeff{"age": 41}', nothing) == ('{"age": 41}', False)


def test_line_ends_inside_a_cell_stay_as_they_are(tmp_path: Path):
    table = tmp_path / "rows.csv"
    table.write_bytes(b'postcode,age\r\n"a\r\nb",1\r\n')
    assert from_csv(read(str(table), nothing)[0], COLUMNS) == {"instances": [{"postcode": "a\r\nb", "age": 1}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "--data is not JSON"),
        ("[1]", "row 1 is 1; write an object"),
        ('[{"age": 1}, [2]]', r"row 2 is \[2\]; write an object"),
    ],
)
def test_what_are_no_rows_is_refused(text: str, said: str):
    with pytest.raises(PlainError, match=said):
        from_json(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(PlainError, match=r"'rows\.csv': there is no such file"):
        read("rows.csv", nothing)
    with pytest.raises(PlainError, match="it cannot be read"):
        read(str(tmp_path), nothing)
    binary = tmp_path / "rows.parquet"
    binary.write_bytes(b"PAR1\xff\xfe")
    with pytest.raises(PlainError, match="it cannot be read"):
        read(str(binary), nothing)


def test_what_a_table_holds_is_what_the_model_takes():
    text = 'spent,age,postcode,member\n1.5,41,01234,TRUE\n-2,7,"a, b",\n'
    assert from_csv(text, COLUMNS) == {
        "instances": [
            {"spent": 1.5, "age": 41, "postcode": "01234", "member": True},
            {"spent": -2.0, "age": 7, "postcode": "a, b", "member": None},
        ]
    }


@pytest.mark.parametrize(
    ("missing_values", "row"),
    [
        (("",), {"age": None, "postcode": None, "member": None, "spent": "NA"}),
        (("NA",), {"age": "", "postcode": "", "member": "", "spent": None}),
        (("", "NA"), {"age": None, "postcode": None, "member": None, "spent": None}),
        ((), {"age": "", "postcode": "", "member": "", "spent": "NA"}),
    ],
)
def test_the_words_for_missing_values_and_no_others_are_sent_as_null(missing_values: tuple[str, ...], row: Any):
    assert from_csv('age,postcode,member,spent\n,"",,NA\n', COLUMNS, missing_values) == {"instances": [row]}


@pytest.mark.parametrize(
    ("schema", "cell", "value"),
    [
        ({"enum": [1, 2]}, "2", 2),
        ({"anyOf": [{"enum": [1, 2]}, {"type": "null"}]}, "1", 1),
        ({"enum": [0.5, 1.0]}, "0.5", 0.5),
        ({"enum": [0.5, 1.0]}, "1", 1.0),
        ({"enum": [True, False]}, "false", False),
        ({"enum": [True, False]}, "True", True),
        ({"enum": ["1", "2"]}, "2", "2"),
        # Of no category: the server says what it wants there.
        ({"enum": [1, 2]}, "3", "3"),
        ({"enum": [1, 0]}, "true", "true"),
        ({"enum": [True, False]}, "1", "1"),
    ],
)
def test_a_category_is_sent_as_the_model_has_it(schema: Any, cell: str, value: Any):
    schemas = {
        "PredictRequest": {"properties": {"instances": {"items": {"$ref": "#/components/schemas/Instance"}}}},
        "Instance": {"properties": {"plan": schema}},
    }
    columns = columns_of({"components": {"schemas": schemas}})
    (row,) = from_csv(f"plan\n{cell}\n", columns)["instances"]
    assert (row["plan"], type(row["plan"])) == (value, type(value))


def test_a_long_cell_is_read_and_the_limit_of_other_tables_stays():
    before = csv.field_size_limit()
    for size in (131_073, 1_000_000):
        (row,) = from_csv(f"postcode\n{'a' * size}\n", COLUMNS)["instances"]
        assert len(row["postcode"]) == size
    assert csv.field_size_limit() == before


def test_a_cell_that_is_too_long_even_so_is_told_with_its_line(monkeypatch: pytest.MonkeyPatch):
    before = csv.field_size_limit()
    monkeypatch.setattr("mlp.projects.rows._LONGEST_CELL", 10)
    with pytest.raises(PlainError, match=r"--data: line 3 cannot be read as CSV: field larger than field limit"):
        from_csv(f"postcode\n1\n{'a' * 11}\n", COLUMNS)
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("column", "cell"),
    [("age", "4.5"), ("age", "1_000"), ("spent", "nan"), ("spent", "inf"), ("spent", "1_0.5"), ("member", "yes")],
)
def test_what_is_not_of_its_columns_type_is_left_to_the_server(column: str, cell: str):
    (row,) = from_csv(f"{column}\n{cell}\n", COLUMNS)["instances"]
    assert row == {column: cell}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the table has no rows"),
        ("age\n", "the table has no rows"),
        ("age\n1,2\n", "row 1 has 2 values, the heading 1"),
        ("age,spent,age\n1,2,3\n", "the heading has age more than once; rename"),
        ("a,b,a,b,c\n1,2,3,4,5\n", "the heading has a, b more than once"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, said: str):
    with pytest.raises(PlainError, match=said):
        from_csv(text, COLUMNS)


def test_columns_come_from_the_servers_own_description():
    from ml_workloads.runtime.serving.application import Metrics, application
    from ml_workloads.runtime.serving.models import Follower
    from tests.unit.ml_workloads.runtime.serving.registries import Shelf, servable

    follower = Follower(Shelf(servable()))
    app = application(follower, Metrics())
    assert columns_of(app.openapi()) == ()
    assert follower.step() == "served"
    assert columns_of(app.openapi()) == (
        ModelColumn(name="age", type="integer", required=True),
        ModelColumn(name="spent in total", type="number", required=True),
        ModelColumn(name="country", type="string", required=False),
    )


def problem(*location: Any, message: str = "Input should be a valid number", kind: str = "float_type") -> Any:
    return {"loc": list(location), "msg": message, "type": kind}


@pytest.mark.parametrize(
    ("status", "detail", "said"),
    [
        (422, [problem("instances", 0, "age")], "row 1, column age: Input should be a valid number"),
        (422, [problem("instances", 2, "age", kind="missing")], "row 3, column age: is missing"),
        (422, [problem("instances", 0, "x", kind="extra_forbidden")], "row 1, column x: is not a column of the model"),
        (422, [problem("instances", 1, message="Input should be an object")], "row 2: Input should be an object"),
        (422, [problem("instances", message="List should have at most 1000 items")], "instances: List should have"),
        (422, [problem(message="Invalid JSON")], "the document: Invalid JSON"),
        (413, "the body is larger than 1048576 bytes", "the request is too large: the body is larger than 1048576"),
        (503, "no version has the alias yet", "the server cannot answer now: no version has the alias yet"),
        (500, "version 3 failed", "the server answered 500: version 3 failed"),
    ],
)
def test_refusals_name_the_field(status: int, detail: Any, said: str):
    assert said in refused(status, json.dumps({"detail": detail}).encode())


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"[]", b"\xff"])
def test_an_answer_that_is_no_document_is_told_as_it_is(body: bytes):
    assert refused(502, body).startswith("the server answered 502: ")
