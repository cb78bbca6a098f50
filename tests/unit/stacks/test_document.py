"""The settings' documentation is generated from the schema."""

from pathlib import Path

import pytest
from pydantic import BaseModel, create_model

from stacks.settings import PlatformSettings
from stacks.settings.document import END, START, settings_table
from tests.unit.stacks.examples import SOUND
from validation.table import rows as rows_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "settings.md"


def leaves(section: type[BaseModel]) -> int:
    nested = [field.annotation for field in section.model_fields.values()]
    return sum(leaves(kind) if isinstance(kind, type) and issubclass(kind, BaseModel) else 1 for kind in nested)


def test_the_document_holds_the_table_of_the_schema():
    text = DOCUMENT.read_text()
    table = text[text.index(START) : text.index(END) + len(END)]
    assert table == settings_table(), (
        "run `python -m stacks.settings.document` and put its output into docs/settings.md"
    )


def test_every_setting_has_a_row_with_a_meaning():
    rows = settings_table().splitlines()[3:-1]
    assert len([row for row in rows if ".<name>." not in row]) == leaves(PlatformSettings)
    assert [row for row in rows if row.split("|")[-2].strip() == ""] == []


def test_every_field_of_an_example_is_documented():
    table = settings_table()
    for section, value in SOUND.items():
        for field in value if isinstance(value, dict) else ():
            assert f"`{section}.{field}" in table


def test_a_type_that_nobody_put_into_words_is_refused():
    with pytest.raises(TypeError, match="annotate it with Allowed"):
        list(rows_of("", create_model("Odd", odd=(int | str, ...))))
