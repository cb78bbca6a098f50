"""Loading: what is read from files, S3 and databases, what is refused, and when a digest changes."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
import sqlalchemy
from moto import mock_aws

from ml_workloads.runtime.data import DataError, LocalFile, S3Objects, Source, SqlQuery, digest, load

TABLE = pd.DataFrame({"id": [1, 2, 3], "name": ["a", "b", None]})


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket="lake")
        yield client


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
        (S3Objects(bucket="lake", key="gone.csv"), "s3://lake/gone.csv: there is no such object; upload it"),
        (S3Objects(bucket="lake", key="gone/"), "s3://lake/gone/: no .csv or .parquet object is there"),
        (S3Objects(bucket="lake", key="empty.csv"), "s3://lake/empty.csv: this cannot be read as a table"),
        (S3Objects(bucket="lake", key="table.xlsx"), "write a file that ends with .csv or .parquet"),
        (S3Objects(bucket="nobodys", key="a.csv"), "NoSuchBucket"),
        (LocalFile(path=Path("gone.csv")), "gone.csv: there is no such file; it has to be copied into the image"),
        (LocalFile(path=Path("table.xlsx")), "write a file that ends with .csv or .parquet"),
    ],
)
def test_what_cannot_be_read_is_named(lake: Any, source: Source, said: str):
    lake.put_object(Bucket="lake", Key="empty.csv", Body=b"")
    lake.put_object(Bucket="lake", Key="table.xlsx", Body=b"")
    with pytest.raises(DataError) as refused:
        load(source)
    assert said in str(refused.value)


def test_broken_files_and_tables_without_rows_are_refused(tmp_path: Path):
    path = tmp_path / "t.parquet"
    path.write_bytes(parquet(TABLE)[:100])
    with pytest.raises(DataError, match="this cannot be read as a table"):
        load(LocalFile(path=path))
    (tmp_path / "t.csv").write_text("id,name\n")
    with pytest.raises(DataError, match="the table has no rows"):
        load(LocalFile(path=tmp_path / "t.csv"))


def test_a_query_is_read_from_its_database(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    engine = sqlalchemy.create_engine(url)
    TABLE.to_sql("customers", engine, index=False)
    engine.dispose()
    loaded = load(SqlQuery(url=url, query="SELECT id FROM customers WHERE id > 1 ORDER BY id"))
    assert loaded.frame["id"].tolist() == [2, 3]
    with pytest.raises(DataError, match="no such table: clients"):
        load(SqlQuery(url=url, query="SELECT * FROM clients"))


def test_no_password_is_ever_shown():
    query = SqlQuery(url="postgresql+psycopg://reader:planted-secret@127.0.0.1:1/w", query="SELECT 1")
    with pytest.raises(DataError) as refused:
        load(query)
    assert "planted-secret" not in f"{refused.value}{query!r}{query.name}"
    assert "reader" in str(refused.value)


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
