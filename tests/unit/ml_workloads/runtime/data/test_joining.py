"""Parts become one table: each column has one type over all parts, and no row changes for it."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_workloads.runtime.data import DataError, ReadOptions, digest
from ml_workloads.runtime.data.joining import one_table
from tests.unit.ml_workloads.runtime.data.written import parquet, part

DAY = pd.Timestamp("2026-01-02")


def joined(*contents: Any, suffix: str = "csv", **options: Any) -> pd.DataFrame:
    parts = [part(f"{number}.{suffix}", content) for number, content in enumerate(contents)]
    return one_table(parts, ReadOptions(**options))


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_parts_without_rows_take_no_part_in_types(empty: int):
    parts = ["x,y,z\n1,1.5,True\n", "x,y,z\n2,2.5,False\n"]
    parts.insert(empty, "x,y,z\n")
    read = joined(*parts)
    assert read.dtypes.astype(str).to_dict() == {"x": "int64", "y": "float64", "z": "bool"}
    assert read["x"].tolist() == [1, 2]


@pytest.mark.parametrize("empty", [0, 1])
@pytest.mark.parametrize("kind", ["int64", "object", "datetime64[us]", "str"])
def test_parquet_without_rows_takes_no_part_in_types_either(empty: int, kind: str):
    parts = [pd.DataFrame({"x": [1, 2]})]
    parts.insert(empty, pd.DataFrame({"x": pd.Series([], dtype=kind)}))
    assert joined(*parts, suffix="parquet")["x"].dtype == np.int64


def test_a_heading_counts_without_rows_too():
    with pytest.raises(DataError, match=r"1\.csv: its columns \['x', 'z'\] are not those of 0\.csv: \['x', 'y'\]"):
        joined("x,y\n1,2\n", "x,z\n")


@pytest.mark.parametrize("lettered", [0, 1])
def test_digits_in_one_part_and_words_in_another_are_text_as_written_in_both(lettered: int):
    parts = ["code,n\n007,1\n3,2\n", "code,n\nA1,3\n3,4\n"]
    read = joined(*(parts if lettered else reversed(parts)))
    assert set(map(type, read["code"])) == {str}
    assert sorted(read["code"]) == ["007", "3", "3", "A1"]
    assert read["n"].dtype == np.int64


@pytest.mark.parametrize(
    ("parts", "values", "kind"),
    [
        (["1", "2.5"], [1.0, 2.5], "float64"),
        (["1", "True"], ["1", "True"], "str"),
        (["True", "yes"], ["True", "yes"], "str"),
        (["1", ""], [1.0, None], "float64"),
        (["a", ""], ["a", None], "str"),
        (["True", ""], [True, None], "object"),
        (["", ""], [None, None], "float64"),
        (["1.0", "2.0", "x"], ["1.0", "2.0", "x"], "str"),
    ],
)
def test_types_are_those_of_one_file_with_all_rows(parts: list[str], values: list[Any], kind: str):
    read = joined(*(f"x,n\n{cell},1\n" for cell in parts))
    alone = joined("x,n\n" + "".join(f"{cell},1\n" for cell in parts))
    assert [None if pd.isna(value) else value for value in read["x"]] == values
    assert str(read["x"].dtype) == kind
    assert digest(read) == digest(alone)


@pytest.mark.parametrize("second", ["", "1.5"])
def test_whole_numbers_of_one_part_are_not_rounded_for_another(second: str):
    with pytest.raises(DataError, match="column x holds whole numbers over 9007199254740992"):
        joined("x,n\n9007199254740993,1\n", f"x,n\n{second},1\n")
    assert joined("x,n\n9007199254740993,1\n", "x,n\n2,1\n")["x"].tolist() == [9007199254740993, 2]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (np.array([1], "int32"), np.array([2**40], "int64"), "int64"),
        (np.array([1], "int8"), np.array([1.5], "float32"), "float32"),
        (np.array([1.5], "float32"), np.array([2.5], "float64"), "float64"),
        (np.array([1], "int64"), np.array([None], object), "float64"),
        (pd.Series([1], dtype="Int64"), pd.Series([None], dtype="Int64"), "Int64"),
        (pd.Series(["a"], dtype="category"), pd.Series(["b"], dtype="category"), "category"),
        (pd.Series(["a"]), pd.Series([None], dtype=object), "str"),
        (pd.Series([DAY]).dt.as_unit("ns"), pd.Series([DAY]).dt.as_unit("us"), "datetime64[ns]"),
        (pd.Series([DAY]).dt.as_unit("us"), pd.Series([None], dtype=object), "datetime64[us]"),
        (pd.Series([True]), pd.Series([True, None], dtype=object), "object"),
        (pd.Series([Decimal("1.50")]), pd.Series([Decimal("10.25")]), "object"),
    ],
)
def test_types_of_one_kind_are_widened(first: Any, second: Any, kind: str):
    read = joined(pd.DataFrame({"x": first}), pd.DataFrame({"x": second}), suffix="parquet")["x"]
    assert str(read.dtype) == kind
    assert read.dropna().tolist() == [*pd.Series(first).dropna(), *pd.Series(second).dropna()]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (["a"], "column x is a number in 0.parquet and text in 1.parquet"),
        ([True], "a number in 0.parquet and true or false in 1.parquet"),
        ([DAY], "a number in 0.parquet and a time without zone in 1.parquet"),
        ([DAY.tz_localize("UTC")], "a number in 0.parquet and a time in UTC in 1.parquet"),
        ([Decimal(1)], "a number in 0.parquet and decimal in 1.parquet"),
        ([dt.date(2026, 1, 2)], "a number in 0.parquet and date in 1.parquet"),
        ([pd.Timedelta(1)], "a number in 0.parquet and a duration in 1.parquet"),
    ],
)
def test_parquet_of_two_kinds_is_refused_with_both_objects(second: list[Any], said: str):
    for order in (1, -1):
        frames = [pd.DataFrame({"x": [1]}), pd.DataFrame({"x": second})][::order]
        with pytest.raises(DataError, match="write it with one type in all parts") as refused:
            joined(*frames, suffix="parquet")
        assert order == -1 or said in str(refused.value)


@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("order", [1, -1])
def test_times_that_nanoseconds_cannot_hold_get_the_finest_unit_that_holds_all(order: int, zone: str | None):
    far = pd.Series(pd.to_datetime(["9999-12-31", None])).dt.as_unit("ms").dt.tz_localize(zone)
    near = pd.Series(pd.to_datetime(["2026-01-02 03:04:05.000006"])).dt.as_unit("ns").dt.tz_localize(zone)
    pieces = [far, near][::order]
    read = joined(*(pd.DataFrame({"x": piece}) for piece in pieces), suffix="parquet")["x"]
    assert str(read.dtype) == ("datetime64[us]" if zone is None else "datetime64[us, UTC]")
    assert read.dropna().tolist() == [value for piece in pieces for value in piece.dropna()]


def test_durations_that_nanoseconds_cannot_hold_do_too():
    far, near = (pd.Series(np.array([value], kind)) for value, kind in ((10**10, "m8[s]"), (7000, "m8[ns]")))
    read = joined(pd.DataFrame({"x": far}), pd.DataFrame({"x": near}), suffix="parquet")["x"]
    assert (str(read.dtype), read.tolist()) == ("timedelta64[us]", [*far, *near])


def test_times_that_no_unit_holds_are_refused_with_both_objects():
    far = pd.DataFrame({"x": np.array(["9999-12-31"], "M8[us]")})
    near = pd.DataFrame({"x": np.array(["2026-01-02T00:00:00.000000007"], "M8[ns]")})
    with pytest.raises(DataError, match=r"column x holds values in 0\.parquet .* of the unit ns that 1\.parquet has"):
        joined(far, near, suffix="parquet")


def test_times_with_and_without_a_zone_are_not_mixed():
    with pytest.raises(DataError, match=r"a time in UTC in .* and a time in Europe/Berlin in "):
        joined(*(pd.DataFrame({"x": [DAY.tz_localize(zone)]}) for zone in ("UTC", "Europe/Berlin")), suffix="parquet")


def test_csv_and_parquet_join_where_the_text_allows_it():
    parts = [part("a.csv", "code\n7\n"), part("b.parquet", pd.DataFrame({"code": ["A1"]}))]
    assert one_table(parts, ReadOptions())["code"].tolist() == ["7", "A1"]
    dates = [part("a.csv", "day\n2026-01-02\n"), part("b.parquet", pd.DataFrame({"day": [DAY]}))]
    with pytest.raises(DataError, match=r"column day is a time without zone in b\.parquet and text in a\.csv"):
        one_table(dates, ReadOptions())


def test_an_index_with_a_name_is_a_column_and_one_without_is_none():
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=pd.Index([7, 8], name="id"))
    assert joined(frame, suffix="parquet").to_dict("list") == {"id": [7, 8], "x": [1.5, 2.5]}
    filtered = pd.DataFrame({"x": [1, 2, 3]}).query("x > 1")
    assert joined(filtered, suffix="parquet").to_dict("list") == {"x": [2, 3]}
    assert list(joined(parquet(frame, index=False), suffix="parquet").columns) == ["x"]


def test_whole_numbers_of_parquet_are_not_rounded_beside_missing_values():
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": [2**53 + 1, None]}), buffer)
    with pytest.raises(DataError, match="column id holds whole numbers over"):
        joined(buffer.getvalue(), suffix="parquet")


@pytest.mark.parametrize("other", [[5], [None], []])
def test_whole_numbers_that_pandas_wrote_as_nullable_stay_exact(other: list[Any]):
    first = pd.DataFrame({"id": pd.array([2**53 + 1, None], dtype="Int64")})
    read = joined(first, pd.DataFrame({"id": pd.array(other, dtype="Int64")}), suffix="parquet")["id"]
    assert str(read.dtype) == "Int64"
    assert read.dropna().tolist() == [2**53 + 1, *(value for value in other if value is not None)]
    beside = joined(first, pd.DataFrame({"id": np.array([None], object)}), suffix="parquet")["id"]
    assert (str(beside.dtype), beside[0]) == ("Int64", 2**53 + 1)


class TestPartitions:
    """Columns from the path."""

    def read(self, *paths: str, **options: Any) -> pd.DataFrame:
        return one_table([part(path, "x\n1\n2\n") for path in paths], ReadOptions(**options))

    def test_they_are_restored_behind_the_others(self):
        read = self.read("year=2023/region=EU/a.csv", "year=2024/region=US/a.csv")
        assert read.to_dict("list") == {
            "x": [1, 2, 1, 2],
            "year": [2023, 2023, 2024, 2024],
            "region": ["EU", "EU", "US", "US"],
        }
        assert read["year"].dtype == np.int64

    def test_they_are_restored_for_parquet_and_parts_without_rows(self):
        frames = {"year=2023/a.parquet": pd.DataFrame({"x": [1]}), "year=2024/a.parquet": pd.DataFrame({"x": [2]})}
        frames["year=2025/a.parquet"] = pd.DataFrame({"x": pd.Series([], dtype="object")})
        read = one_table([part(path, frame) for path, frame in frames.items()], ReadOptions())
        assert read.to_dict("list") == {"x": [1, 2], "year": [2023, 2024]}

    def test_their_type_is_decided_over_all_parts(self):
        assert self.read("code=7/a.csv", "code=A1/a.csv")["code"].tolist() == ["7", "7", "A1", "A1"]
        assert self.read("code=7/a.csv", "code=07/a.csv")["code"].tolist() == ["7", "7", "07", "07"]
        assert self.read("month=01/a.csv", "month=12/a.csv")["month"].tolist() == [1, 1, 12, 12]
        assert self.read("month=01/a.csv", text_columns={"month"})["month"].tolist() == ["01", "01"]
        assert self.read("day=2026-01-02/a.csv")["day"].tolist() == ["2026-01-02"] * 2

    def test_a_partition_of_missing_values_is_missing(self):
        read = self.read("year=2023/a.csv", "year=__HIVE_DEFAULT_PARTITION__/a.csv")["year"]
        assert read.isna().tolist() == [False, False, True, True]
        read = self.read("region=EU/a.csv", "region=__HIVE_DEFAULT_PARTITION__/a.csv")["region"]
        assert (str(read.dtype), read.isna().tolist()) == ("str", [False, False, True, True])

    @pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
    def test_numbers_that_a_missing_value_would_round_stay_text(self, number: int):
        read = self.read(f"a={number}/a.csv", "a=__HIVE_DEFAULT_PARTITION__/a.csv")["a"]
        assert read[:2].tolist() == [str(number)] * 2
        assert self.read(f"a={number}/a.csv")["a"].tolist() == [number] * 2
        exact = self.read(f"a={2**53}/a.csv", "a=__HIVE_DEFAULT_PARTITION__/a.csv")["a"]
        assert exact[:2].tolist() == [float(2**53)] * 2

    @pytest.mark.parametrize("value", [str(2**63), str(-(2**63) - 1), "9" * 25, "1" * 5000, "-" + "7" * 5000])
    def test_numbers_over_64_bits_stay_text(self, value: str):
        assert self.read(f"a={value}/a.csv", "a=1/a.csv")["a"].tolist() == [value, value, "1", "1"]

    @pytest.mark.parametrize("other", ["a.csv", "year=2023/month=1/a.csv", "month=1/a.csv"])
    def test_parts_with_other_partitions_are_refused(self, other: str):
        with pytest.raises(DataError, match="give all parts the same"):
            self.read("year=2023/a.csv", other)

    def test_a_column_that_stands_in_the_file_too_is_refused(self):
        with pytest.raises(DataError, match="column x stands in the path and in the file; leave one of them out"):
            self.read("x=1/a.csv")
