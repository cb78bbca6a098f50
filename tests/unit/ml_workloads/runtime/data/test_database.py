"""Queries go to the database as written, and error messages contain no part of the address."""

from __future__ import annotations

import logging
import socket
import warnings
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy

from ml_workloads.runtime.data import DataError, ReadOptions, load
from ml_workloads.runtime.data.database import SqlQuery
from ml_workloads.runtime.errors import PlatformError

TABLE = pd.DataFrame({"id": [1, 2, 3], "name": ["a:none", "50%", "c;d"]})
PLANTED = "pl4nted"
ONCE = ReadOptions(patience_seconds=0)


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'warehouse.db'}"
    engine = sqlalchemy.create_engine(url)
    TABLE.to_sql("customers", engine, index=False)
    engine.dispose()
    return url


def test_a_query_is_read_from_its_database(warehouse: str):
    loaded = load(SqlQuery(url=warehouse, query="SELECT id FROM customers WHERE id > 1 ORDER BY id"))
    assert loaded.frame["id"].tolist() == [2, 3]
    assert loaded.source == "sqlite:///warehouse.db"


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("name LIKE '%:none'", [1]),
        ("name = '50%' AND id % 2 = 0 AND '%s' <> '%(x)s'", [2]),
        ("name = 'c;d' -- ; :none %", [3]),
        ("name = 'a:' || 'none'", [1]),
    ],
)
def test_colons_and_percents_reach_the_database_as_written(warehouse: str, where: str, ids: list[int]):
    found = load(SqlQuery(url=warehouse, query=f"SELECT id FROM customers WHERE {where}")).frame  # noqa: S608
    assert found["id"].tolist() == ids


def test_a_query_that_is_refused_says_what_the_database_says(warehouse: str):
    with pytest.raises(DataError, match=r"sqlite:///warehouse\.db: the database refuses .*: no such table: clients"):
        load(SqlQuery(url=warehouse, query="SELECT * FROM clients"))


def test_a_message_that_repeats_a_piece_of_the_address_is_not_shown(warehouse: str):
    for option in ("timeout", "no_such_option"):
        query = SqlQuery(url=f"{warehouse}?{option}=417", query="SELECT col417 FROM customers")
        with warnings.catch_warnings(record=True) as warned, pytest.raises(DataError) as refused:
            load(query)
        assert "OperationalError" in str(refused.value)
        assert "417" not in f"{refused.value}{[each.message for each in warned]}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"oracle+cx_oracle://reader:{PLANTED}@db/sales", "the driver cx_Oracle is not in this image; add it"),
        (f"mysql://reader:{PLANTED}@db/sales", "the driver MySQLdb is not in this image"),
        (f"postgres://reader:{PLANTED}@db/sales", "begins with no database that is known; write"),
        (f"postgresql+nodriver://reader:{PLANTED}@db/sales", "begins with no database that is known"),
        (
            f"postgresql+psycopg://reader:{PLANTED}@127.0.0.1:1/sales?{PLANTED}=1",
            "a port or an option that the driver does not take",
        ),
        (f"postgresql+psycopg://reader:{PLANTED}@127.0.0.1:70000/sales", "a port or an option that the driver"),
        (f"postgresql+psycopg://reader:x@db/sales?connect_timeout={PLANTED}", "a port or an option that the driver"),
        (f"postgresql+psycopg://r:{PLANTED}@127.0.0.1:1/s?sslmode={PLANTED}", "a port or an option that the driver"),
        (f"reader:{PLANTED}@db/sales", "its url is no address of a database"),
        (f"postgresql+psycopg://reader:x@db:{PLANTED}/sales", "its url cannot be read as an address"),
        ("sqlite:////nowhere/gone.db", "the file cannot be opened; mend the secret warehouse"),
    ],
)
def test_an_address_that_cannot_be_used_says_how_to_write_it(url: str, said: str):
    with pytest.raises(DataError, match=said) as refused:
        load(SqlQuery(url=url, query="SELECT 1", secret="warehouse"), ONCE)
    assert PLANTED not in str(refused.value)
    assert "secret warehouse" in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        f"reader:{PLANTED}@127.0.0.1:1/sales",
        f"reader:{PLANTED}@nowhere.invalid/sales",
        f"127.0.0.1:1/sales?user=reader&password={PLANTED}",
        f"reader:p@{PLANTED}@127.0.0.1:1/sales",
    ],
)
def test_a_database_that_does_not_answer_is_the_platforms_fault_and_tried_again(
    address: str, caplog: pytest.LogCaptureFixture
):
    query = SqlQuery(url=f"postgresql+psycopg://{address}", query=f"SELECT '{PLANTED}'", secret="warehouse")
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(
            PlatformError, match=r"could not be reached within 2 s; check host .* the secret warehouse"
        ) as told,
    ):
        load(query, ReadOptions(patience_seconds=2))
    assert "cannot be reached yet, trying again" in caplog.text
    assert PLANTED not in f"{told.value}{caplog.text}{query!r}{query.name}"
    assert told.value.__cause__ is None


def test_a_server_that_accepts_and_says_nothing_is_given_up(caplog: pytest.LogCaptureFixture):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql+psycopg://reader:{PLANTED}@127.0.0.1:{server.getsockname()[1]}/sales?connect_timeout=2"
        with pytest.raises(PlatformError, match="could not be reached"):
            load(SqlQuery(url=url, query="SELECT 1"), ONCE)
    assert PLANTED not in caplog.text


def test_a_file_that_is_no_database_is_told(tmp_path: Path):
    (tmp_path / "a.db").write_text("no database " * 100)
    with pytest.raises(DataError, match="file is not a database"):
        load(SqlQuery(url=f"sqlite:///{tmp_path / 'a.db'}", query="SELECT 1 FROM t"))
