"""A CSV is read as written, or rejected: no cell moves, no word gets lost, no type depends on the row count."""

import csv
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_workloads.runtime.data import DataError, LocalFile, ReadOptions, load
from ml_workloads.runtime.data.tables import read_part
from tests.unit.ml_workloads.runtime.data.written import COMPRESSION, part


def table(content: str | bytes, **options: Any) -> pd.DataFrame:
    return read_part(part("t.csv", content), ReadOptions(**options))


@pytest.mark.parametrize("ending", COMPRESSION)
@pytest.mark.parametrize("name", ["t.csv", "T.CSV"])
def test_a_csv_is_read_through_its_compression(tmp_path: Path, name: str, ending: str):
    path = tmp_path / f"{name}{ending.upper() if name.isupper() else ending}"
    path.write_bytes(COMPRESSION[ending](b"\xef\xbb\xbfx,y\n1,a\n2,b\n"))
    loaded = load(LocalFile(path=path)).frame
    assert loaded.to_dict("list") == {"x": [1, 2], "y": ["a", "b"]}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,a,7\n2,b,8\n", "row 1 has 3 fields, the heading has 2 columns"),
        ("1,a,\n2,b,\n", "row 1 has 3 fields, the heading has 2 columns"),
        ("1,a\n2,b,8\n", "row 2 has 3 fields"),
        ("1,a\n2\n", "row 2 has 1 fields"),
        ('1,"a\nb"\n2,"c,d"\n3,e,f\n', "row 3 has 3 fields"),
        ("1,a\n\n2,b,c\n", "row 2 has 3 fields"),
        ("1,a\n   \n", "row 2 has 1 fields"),
        ('1,"a\n2,b\n3,c\n', "cannot be read as a table"),
    ],
)
def test_rows_with_another_number_of_fields_than_the_heading_are_refused(rows: str, said: str):
    with pytest.raises(DataError, match=said):
        table(f"x,y\n{rows}")


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("x,x,y", "the heading has x more than once"),
        ("x,,y", "column 2 of the heading has no name"),
        (",x,y", r"column 1 of the heading has no name; .*index=False"),
        ('x," ",y', "column 2 of the heading has no name"),
    ],
)
def test_a_heading_names_each_column_once(heading: str, said: str):
    with pytest.raises(DataError, match=said):
        table(f"{heading}\n1,2,3\n")


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_another_separator_is_named(mark: str, word: str):
    with pytest.raises(DataError, match=f"one column with {word} in it; separate the cells by commas"):
        table(f"x{mark}y\n1{mark}2\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x,name\n1,Zoë\n".encode("latin-1"), "this is no UTF-8 text; save it as UTF-8"),
        ("x,name\n1,Zoë\n".encode("utf-16"), "this is no UTF-8 text"),
        (COMPRESSION[".gz"](b"x\n1\n"), r"this is compressed; let its name end with \.csv\.gz"),
        (COMPRESSION[".zst"](b"x\n1\n"), r"this is compressed; let its name end with \.csv\.zst"),
        (b"", "it is empty; write a heading"),
        (b"\n\n", "it is empty; write a heading"),
    ],
    ids=["latin-1", "utf-16", "gzip", "zstd", "empty", "blank"],  # gzip writes the time: no name for a test
)
def test_what_is_no_csv_in_utf8_is_refused_by_name(content: bytes, said: str):
    with pytest.raises(DataError, match=rf"^t\.csv: .*{said}"):
        table(content)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_a_compressed_file_that_is_broken_off_is_refused_by_name(ending: str):
    whole = COMPRESSION[ending](b"x,y\n" + random.Random(1).randbytes(3000).hex().encode() + b",1\n")
    for content in (whole[: len(whole) // 2], b"x,y\n1,2\n"):
        with pytest.raises(DataError, match=rf"^t\.csv\{ending}: this cannot be read as a table"):
            read_part(part(f"t.csv{ending}", content), ReadOptions())


def test_a_type_does_not_depend_on_the_number_of_rows():
    """By default pandas infers types per chunk of some 500,000 rows: `3` and 3 become two categories."""
    rows = "".join(f"{number % 10},{number}\n" for number in range(600_000))
    codes = table(f"code,n\n{rows}A1,0\n")["code"]
    assert set(map(type, codes)) == {str}
    assert sorted(codes.unique()) == [*"0123456789", "A1"]


def test_only_an_empty_cell_is_missing_unless_the_project_lists_words():
    text = 'country,n\nNA,1\nNone,2\nNULL,3\nnan,4\nn/a,5\n,6\n"",7\n-,8\n'
    assert table(text)["country"].tolist()[:5] == ["NA", "None", "NULL", "nan", "n/a"]
    assert table(text)["country"].isna().tolist() == [False] * 5 + [True, True, False]
    listed = table(text, missing_values=("", "NULL", "-"))["country"]
    assert listed.isna().tolist() == [False, False, True, False, False, True, True, True]
    assert table(text, missing_values=())["country"].tolist()[5:7] == ["", ""]


def test_listed_words_are_missing_in_columns_of_numbers_too():
    text = "n,m\n1.5,1\nNaN,?\n2,3\n"
    assert table(text, missing_values=("", "NaN", "?")).dtypes.astype(str).to_dict() == {"n": "float64", "m": "float64"}
    assert table(text)["n"].tolist() == ["1.5", "NaN", "2"]


def test_columns_of_text_stay_as_written():
    text = "zip,n\n007, 1\n1e5,2\nTrue,3\n 8 ,4\n,5\n"
    read = table(text, text_columns={"zip"})
    assert read["zip"].tolist()[:4] == ["007", "1e5", "True", " 8 "]
    assert bool(read["zip"].isna()[4])
    assert read["n"].tolist() == [1, 2, 3, 4, 5]
    assert table(text.replace("True", "9"))["zip"].tolist()[:2] == [7, 100000]


@pytest.mark.parametrize("beside", ["", "1.5"])
def test_whole_numbers_that_a_float_cannot_hold_are_refused_unless_they_are_text(beside: str):
    text = f"id,n\n9007199254740993,1\n{beside},2\n"
    with pytest.raises(DataError, match=r"column id holds whole numbers over 9007199254740992 .* Column\(str\)"):
        table(text)
    assert table(text, text_columns={"id"})["id"].tolist()[0] == "9007199254740993"
    assert table(text.replace("993", "992"))["id"].tolist()[0] == 9007199254740992
    assert table(text.replace(beside or ",2\n", "2" if beside else "2,2\n"))["id"].tolist()[0] == 9007199254740993


def test_large_fractions_and_infinities_are_no_whole_numbers():
    assert table("x\n1e300\ninf\n-12345678901234567890.5\n")["x"].tolist() == [
        1e300,
        float("inf"),
        -12345678901234567890.5,
    ]


def test_numbers_are_those_that_a_request_in_json_gives():
    random.seed(12)
    numbers = [random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300) for _ in range(20_000)]
    read = table("x\n" + "\n".join(map(repr, numbers)))["x"]
    assert read.tolist() == numbers


def test_a_cell_may_be_longer_than_pythons_reader_of_csv_allows():
    before = csv.field_size_limit()
    assert len(table(f'x,y\n"{"long " * 50_000}",1\n')["x"][0]) == 250_000
    assert csv.field_size_limit() == before


def test_cells_keep_their_commas_quotes_and_line_breaks():
    frame = pd.DataFrame({"a": ['say "hi"', "one\ntwo", "x,y", "'"], "b": ["\r\n", "\t", "#", "\\"]})
    assert table(frame.to_csv(index=False)).to_dict("list") == frame.to_dict("list")


@pytest.mark.parametrize("beside", ["1", "", "-7", "1.5"])
def test_numbers_that_64_bits_do_not_hold_are_text_as_written(beside: str):
    huge = "1234567890123456789012345"
    read = table(f"x,n\n{huge},1\n{beside},2\n")
    assert str(read["x"].dtype) == "str"
    assert read["x"].dropna().tolist() == [each for each in (huge, beside) if each]
    assert read["n"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("", "00000"), {"zip": [None, "12345", "0"], "kids": [0, 2, 0]}),
        (("", "0"), {"zip": ["00000", "12345", None], "kids": [None, 2, None]}),
        (("0.0",), {"zip": ["00000", "12345", "0"], "kids": [0, 2, 0]}),
        (("-1", "12345"), {"zip": ["00000", None, "0"], "kids": [0, 2, 0]}),
        (("", "1000"), {"zip": ["00000", "12345", "0"], "kids": [0, 2, 0]}),
    ],
)
def test_a_word_that_reads_as_a_number_takes_no_other_cell_with_it(words: tuple[str, ...], found: dict[str, list[Any]]):
    read = table(
        'zip,kids,"a ""name""",note\n00000,0,1.5,"x, y"\n12345,2,-1.0,"line\nbreak"\n0,0,1e3,\n',
        missing_values=words,
        text_columns=frozenset({"zip"}),
    )
    plain = {name: [None if pd.isna(value) else value for value in read[name]] for name in found}
    assert plain == found
    assert read['a "name"'].tolist() == [1.5, -1.0, 1000.0]
    assert read["note"].tolist()[:2] == ["x, y", "line\nbreak"]
    assert ("" in words) == bool(pd.isna(read["note"].iloc[2]))
