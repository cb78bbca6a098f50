"""A real PostgreSQL server receives a training's query as written, and errors in a query are reported."""

from typing import Any

import pytest
import sqlalchemy

from ml_workloads.runtime.data import DataError, ReadOptions
from ml_workloads.runtime.data.database import SqlQuery
from sandbox.tests.live.databases.databases import Running, database

OPTIONS = ReadOptions(missing_values=("",), patience_seconds=10.0)


@pytest.fixture
def address(running: Running) -> str:
    instance = database()
    status = running.available(instance)
    with running.connect(instance) as connection:
        connection.execute("CREATE TABLE rent (id bigint, area real, kind text, built timestamptz)")
        connection.execute("INSERT INTO rent VALUES (9007199254740993, 1.5, '100% new', '2026-01-01T00:00Z')")
        connection.execute("INSERT INTO rent VALUES (2, NULL, 'a:b $1 ; old', NULL)")
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        instance.master_username,
        instance.master_password,
        status.address,
        status.port,
        instance.db_name,
        query={"sslmode": "verify-full", "sslrootcert": str(status.ca_bundle)},
    )
    return url.render_as_string(hide_password=False)


ANSWERS: dict[str, list[Any]] = {
    "SELECT id FROM rent WHERE kind LIKE '%new' AND 7 % 4 = 3": [2**53 + 1],
    "SELECT id FROM rent WHERE kind LIKE 'a:b%'": [2],
    "SELECT area::int AS a FROM rent WHERE area IS NOT NULL": [2],
    "SELECT kind FROM rent WHERE kind LIKE '%$1 ;%' -- :x; %s": ["a:b $1 ; old"],
    "SELECT $$%(x)s :y ; $$ AS text": ["%(x)s :y ; "],
    "WITH old AS (SELECT * FROM rent WHERE built IS NULL) SELECT id FROM old": [2],
}
REFUSED = {
    "SELECT nothing FROM rent": 'column "nothing" does not exist',
    "SELECT * FROM rents": 'relation "rents" does not exist',
    "SELECT id FROM rent WHERE": "syntax error",
}


def test_percent_colon_dollar_and_semicolon_reach_the_server_as_written(address: str):
    found = {query: SqlQuery(url=address, query=query).read(OPTIONS).iloc[:, 0] for query in ANSWERS}
    assert {query: column.tolist() for query, column in found.items()} == ANSWERS


def test_large_whole_numbers_beside_a_missing_one_are_refused_and_stay_whole_as_text(address: str):
    union = "SELECT id{} AS id FROM rent UNION ALL SELECT NULL ORDER BY id"
    with pytest.raises(DataError, match="changes their last digits; cast it to text in"):
        SqlQuery(url=address, query=union.format("")).read(OPTIONS)
    found = SqlQuery(url=address, query=union.format("::text")).read(OPTIONS)["id"]
    assert found.dropna().tolist() == ["2", "9007199254740993"]


def test_a_query_that_the_server_refuses_is_told_in_its_words_without_the_address(address: str):
    for query, said in REFUSED.items():
        with pytest.raises(DataError, match=said) as refused:
            SqlQuery(url=address, query=query).read(OPTIONS)
        assert "word-1" not in str(refused.value)
