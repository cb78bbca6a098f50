"""The documentation of `project.yaml` is generated from its schema."""

from ml_workloads.project.document import END, START, project_table
from tests.contract.programs import ROOT


def test_the_document_holds_the_table_of_the_schema():
    text = (ROOT / "docs" / "projects.md").read_text()
    table = text[text.index(START) : text.index(END) + len(END)]
    assert table == project_table(), (
        "run `python -m ml_workloads.project.document` and put its output into docs/projects.md"
    )


def test_every_row_has_a_meaning():
    rows = project_table().splitlines()[3:-1]
    assert len(rows) > 30
    assert [row for row in rows if row.split("|")[-2].strip() == ""] == []


def test_fields_of_sections_that_are_told_apart_say_which_one_they_belong_to():
    table = project_table()
    assert "| `data.source.type` | `s3`, `sql`, `local` | required |" in table
    assert [line for line in table.splitlines() if "`data.source.query`" in line and "(`sql`)" in line]
