"""Sources of a run's data: an address in a secret, and a file of the project's image that a worker serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ml_workloads.runtime.conductor.sources import LocalDocument, SqlDocument
from ml_workloads.runtime.data import DataError, load
from ml_workloads.runtime.data.database import SqlQuery
from tests.unit.ml_workloads.runtime.conductor.in_process import DirectWorker


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def sql(secret: str) -> Any:
    return SqlDocument(type="sql", secret=secret, query="SELECT 1").source(DirectWorker(None, ()), 1.0)


def test_the_address_of_a_database_comes_from_its_secret(vault: Any):
    vault.create_secret(Name="warehouse", SecretString='{"url": "postgresql+psycopg://reader:planted@db/w"}')
    vault.create_secret(Name="empty", SecretString="planted")
    source = sql("warehouse")
    assert isinstance(source, SqlQuery)
    assert "planted" not in source.name
    with pytest.raises(DataError, match="secret empty: write") as refused:
        sql("empty")
    assert "planted" not in str(refused.value)
    with pytest.raises(DataError, match=r"secret gone: .*ResourceNotFoundException"):
        sql("gone")


class FileWorker(DirectWorker):
    def data(self) -> bytes:
        return b"age,leaves\n1.5,no\n"


def test_a_file_of_the_image_is_read_as_the_worker_hands_it_out():
    source = LocalDocument(type="local", path=Path("data/customers.csv")).source(FileWorker(None, ()), 1.0)
    found = load(source)
    assert (found.source, list(found.frame.columns)) == ("data/customers.csv", ["age", "leaves"])
    with pytest.raises(DataError, match="write a file that ends with"):
        load(LocalDocument(type="local", path=Path("data/customers.pickle")).source(FileWorker(None, ()), 1.0))
