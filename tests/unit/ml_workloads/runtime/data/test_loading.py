"""Loading of files and S3 objects, rejections, and changes of the digest."""

import gzip
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_workloads.runtime.data import DataError, LocalFile, S3Objects, Source, digest, load
from ml_workloads.runtime.serving.columns import SignatureError, describe

TABLE = pd.DataFrame({"id": [1, 2, 3], "name": ["a", "b", None]})


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "write"), [("t.csv", csv), ("t.parquet", parquet)])
def test_a_file_is_read_with_its_digest(tmp_path: Path, name: str, write: Any):
    path = tmp_path / name
    path.write_bytes(write(TABLE))
    loaded = load(LocalFile(path=path))
    assert loaded.frame["id"].tolist() == [1, 2, 3]
    assert loaded.source == str(path)
    assert loaded.digest == digest(loaded.frame)
    assert len(loaded.digest) == 64


def test_a_prefix_is_read_whole_in_the_order_of_its_keys(lake: Any):
    lake.put_object(Bucket="lake", Key="churn/b.csv", Body=csv(TABLE.assign(id=[4, 5, 6])))
    lake.put_object(Bucket="lake", Key="churn/a.parquet", Body=parquet(TABLE))
    lake.put_object(Bucket="lake", Key="churn/_SUCCESS", Body=b"")
    lake.put_object(Bucket="lake", Key="other/a.csv", Body=csv(TABLE))
    loaded = load(S3Objects(bucket="lake", key="churn/"))
    assert loaded.frame["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert loaded.frame.index.tolist() == list(range(6))
    assert loaded.source == "s3://lake/churn/"
    assert load(S3Objects(bucket="lake", key="other/a.csv")).frame["id"].tolist() == [1, 2, 3]


def test_tables_of_different_columns_are_not_mixed(lake: Any):
    lake.put_object(Bucket="lake", Key="churn/a.csv", Body=csv(TABLE))
    lake.put_object(Bucket="lake", Key="churn/b.csv", Body=csv(TABLE.rename(columns={"name": "names"})))
    with pytest.raises(
        DataError, match=r"s3://lake/churn/b.csv: its columns .* are not those of s3://lake/churn/a.csv"
    ):
        load(S3Objects(bucket="lake", key="churn/"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (S3Objects(bucket="lake", key="gone/"), "s3://lake/gone/: no .csv, .csv.gz"),
        (S3Objects(bucket="lake", key="empty.csv"), "s3://lake/empty.csv: this cannot be read as a table"),
        (S3Objects(bucket="lake", key="table.xlsx"), "write a file that ends with .csv, "),
        (S3Objects(bucket="nobodys", key="a.csv"), "there is no bucket nobodys (NoSuchBucket)"),
        (S3Objects(bucket="nobodys", key="a/"), "there is no bucket nobodys (NoSuchBucket)"),
        (LocalFile(path=Path("gone.csv")), "gone.csv: there is no such file; it has to be copied into the image"),
        (LocalFile(path=Path("table.xlsx")), "write a file that ends with .csv, "),
    ],
)
def test_what_cannot_be_read_is_named(lake: Any, source: Source, said: str):
    lake.put_object(Bucket="lake", Key="empty.csv", Body=b"")
    lake.put_object(Bucket="lake", Key="table.xlsx", Body=b"")
    with pytest.raises(DataError) as refused:
        load(source)
    assert said in str(refused.value)


def test_objects_with_another_ending_are_not_left_out_in_silence(lake: Any):
    for key in ("2024-01.csv", "2024-02.csv.gz", "2024-03.CSV"):
        content = csv(TABLE)
        lake.put_object(Bucket="lake", Key=f"churn/{key}", Body=gzip.compress(content) if key[-1] == "z" else content)
    assert len(load(S3Objects(bucket="lake", key="churn/")).frame) == 9
    lake.put_object(Bucket="lake", Key="churn/2024-04.csv.zip", Body=b"PK")
    with pytest.raises(DataError, match=r"1 of 4 objects are no parts of a table: 2024-04\.csv\.zip"):
        load(S3Objects(bucket="lake", key="churn/"))


def test_columns_of_the_path_are_read_below_a_prefix_and_not_above(lake: Any):
    for year in (2023, 2024):
        lake.put_object(Bucket="lake", Key=f"churn/year={year}/part-0.parquet", Body=parquet(TABLE))
    assert load(S3Objects(bucket="lake", key="churn/")).frame["year"].tolist() == [2023] * 3 + [2024] * 3
    assert list(load(S3Objects(bucket="lake", key="churn/year=2023/")).frame) == ["id", "name"]
    assert list(load(S3Objects(bucket="lake", key="churn/year=2023/part-0.parquet")).frame) == ["id", "name"]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (
            "churn/customer.csv",
            "there is no object s3://lake/churn/customer.csv: in this folder are churn/customers.csv, ",
        ),
        ("churn/customers", "write a file that ends with .csv"),
        ("churn/a.parquet", "and 2 more; upload it, or mend data.source.path"),
        ("gone/a.csv", "there is no object s3://lake/gone/a.csv: nothing is below s3://lake/gone/; upload it"),
        ("churn/table.parquet", "but a folder of this name; end data.source.path with /"),
        ("a.csv", "there is no object s3://lake/a.csv: in this folder are "),
    ],
)
def test_an_object_that_is_not_there_is_told_with_those_that_are(lake: Any, key: str, said: str):
    others = [f"churn/{number}.csv" for number in range(5)]
    for each in ("churn/customers.csv", "churn/table.parquet/part-0.parquet", *others):
        lake.put_object(Bucket="lake", Key=each, Body=csv(TABLE))
    with pytest.raises(DataError) as refused:
        load(S3Objects(bucket="lake", key=key))
    assert said in str(refused.value)


def test_an_object_whose_key_begins_like_another_is_the_one_that_is_read(lake: Any):
    lake.put_object(Bucket="lake", Key="churn/a.csv", Body=csv(TABLE))
    lake.put_object(Bucket="lake", Key="churn/a.csv.gz", Body=gzip.compress(csv(TABLE.assign(id=[7, 8, 9]))))
    assert load(S3Objects(bucket="lake", key="churn/a.csv")).frame["id"].tolist() == [1, 2, 3]
    assert load(S3Objects(bucket="lake", key="churn/a.csv.gz")).frame["id"].tolist() == [7, 8, 9]


def test_broken_files_and_tables_without_rows_are_refused(tmp_path: Path):
    path = tmp_path / "t.parquet"
    path.write_bytes(parquet(TABLE)[:100])
    with pytest.raises(DataError, match="this cannot be read as a table"):
        load(LocalFile(path=path))
    (tmp_path / "t.csv").write_text("id,name\n")
    with pytest.raises(DataError, match="the table has no rows"):
        load(LocalFile(path=tmp_path / "t.csv"))


def test_a_digest_tells_content_types_and_order_but_not_the_index():
    same = pd.DataFrame(TABLE.to_dict("list"), index=[7, 8, 9])
    assert digest(same) == digest(TABLE)
    others: list[Any] = [
        TABLE.assign(id=[1, 2, 4]),
        TABLE.iloc[::-1],
        TABLE.rename(columns={"name": "names"}),
        TABLE.assign(id=[1.0, 2.0, 3.0]),
        TABLE[["name", "id"]],
    ]
    assert len({digest(frame) for frame in (TABLE, *others)}) == 6


NESTED: dict[str, list[Any]] = {
    "lists": [["a"], ["b", "c"], None],
    "structs": [{"k": 1}, {"k": 2}, {"k": 3}],
    "lists of lists": [[[1], [2, 3]], [[4]], []],
    "long lists": [[*range(5000)], [1], [2]],
}


@pytest.mark.parametrize("values", NESTED.values(), ids=NESTED)
def test_parquet_with_lists_and_structs_is_read_and_its_digest_tells_their_values(tmp_path: Path, values: list[Any]):
    def loaded(column: list[Any]) -> Any:
        pq.write_table(pa.table({"x": [1.0, 2.0, 3.0], "tags": column}), tmp_path / "t.parquet")
        return load(LocalFile(path=tmp_path / "t.parquet"))

    first = loaded(values)
    assert loaded(values).digest == first.digest
    assert loaded([values[1], values[0], values[2]]).digest != first.digest
    with pytest.raises(SignatureError, match="column tags is object of"):
        describe(first.frame)
