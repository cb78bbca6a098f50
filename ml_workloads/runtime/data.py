"""Loads a project's data into one table, and tells by its digest whether it is the same as another time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import boto3
import pandas as pd
import sqlalchemy
from botocore.exceptions import BotoCoreError, ClientError
from pandas.errors import DatabaseError
from pandas.util import hash_pandas_object
from sqlalchemy.exc import SQLAlchemyError

# A run that needs more reads its data itself; this many objects take minutes to fetch one by one.
MAX_OBJECTS = 1000
_row_hashes: Any = hash_pandas_object
_READERS: dict[str, Callable[[Any], pd.DataFrame]] = {".csv": pd.read_csv, ".parquet": pd.read_parquet}


class DataError(ValueError):
    """The data cannot be read. The message says which, and what to do; it holds no address with a password."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table with where it came from; `digest` (SHA-256 in hexadecimal) covers columns, types, values, and order."""

    frame: pd.DataFrame
    source: str
    digest: str


class Source(Protocol):
    @property
    def name(self) -> str: ...

    def read(self) -> pd.DataFrame: ...


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A CSV or Parquet file."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def read(self) -> pd.DataFrame:
        reader = _reader(self.path.name)
        if not self.path.is_file():
            raise DataError(f"{self.path}: there is no such file; it has to be copied into the image")
        return _parsed(reader, self.path, self.name)


@dataclass(frozen=True, kw_only=True)
class S3Objects:
    """One object, or with a `key` that ends with / all CSV and Parquet objects below it, in the order of their keys."""

    bucket: str
    key: str

    @property
    def name(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def read(self) -> pd.DataFrame:
        client: Any = boto3.client("s3")
        try:
            keys = self._keys(client) if self.key.endswith("/") else [self.key]
            return _one_table([(f"s3://{self.bucket}/{key}", self._frame(client, key)) for key in keys])
        except (BotoCoreError, ClientError) as error:
            raise DataError(f"{self.name}: {error}") from error

    def _keys(self, client: Any) -> list[str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.key)
        found = [str(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
        tables = sorted(key for key in found if PurePosixPath(key).suffix in _READERS)
        if not tables:
            raise DataError(
                f"{self.name}: no {' or '.join(_READERS)} object is there; upload the data, or mend the path"
            )
        if len(tables) > MAX_OBJECTS:
            raise DataError(f"{self.name}: {len(tables)} objects; put them together into at most {MAX_OBJECTS}")
        return tables

    def _frame(self, client: Any, key: str) -> pd.DataFrame:
        reader, name = _reader(key), f"s3://{self.bucket}/{key}"
        try:
            body = client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            raise DataError(
                f"{name}: there is no such object; upload it, or end the path with / for a prefix"
            ) from None
        return _parsed(reader, io.BytesIO(body), name)


@dataclass(frozen=True, kw_only=True, repr=False)
class SqlQuery:
    """A query's result. `url` is SQLAlchemy's, with the password, and therefore never shown."""

    url: str
    query: str

    @property
    def name(self) -> str:
        return sqlalchemy.make_url(self.url).render_as_string(hide_password=True)

    def read(self) -> pd.DataFrame:
        engine = sqlalchemy.create_engine(self.url)
        try:
            with engine.connect() as connection:
                return pd.read_sql_query(sqlalchemy.text(self.query), connection)
        except (SQLAlchemyError, DatabaseError) as error:
            told = error.__cause__ if isinstance(error, DatabaseError) else error
            cause = getattr(told, "orig", None) or told
            raise DataError(f"{self.name}: {' '.join(str(cause).split())}") from None
        finally:
            engine.dispose()


def load(source: Source) -> Dataset:
    """Read all of a source.

    Raises:
        DataError: it is not there, holds nothing, or is no table.
    """
    frame = source.read()
    if frame.empty:
        raise DataError(f"{source.name}: the table has no rows")
    return Dataset(frame=frame, source=source.name, digest=digest(frame))


def digest(frame: pd.DataFrame) -> str:
    """SHA-256 of a table's columns, types and rows, whatever the index; the order of both counts.

    Comparable between runs with the same version of pandas, whose hash of a row it is made from.
    """
    summary = hashlib.sha256()
    for column, kind in frame.dtypes.items():
        summary.update(f"{column}\0{kind}\0".encode())
    summary.update(_row_hashes(frame, index=False).to_numpy().tobytes())
    return summary.hexdigest()


def _reader(name: str) -> Callable[[Any], pd.DataFrame]:
    suffix = PurePosixPath(name).suffix
    if suffix not in _READERS:
        raise DataError(f"{name}: write a file that ends with {' or '.join(_READERS)}")
    return _READERS[suffix]


def _parsed(reader: Callable[[Any], pd.DataFrame], content: Any, name: str) -> pd.DataFrame:
    try:
        return reader(content)
    except (ValueError, OSError) as error:
        raise DataError(f"{name}: this cannot be read as a table: {' '.join(str(error).split())}") from error


def _one_table(parts: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    first, frame = parts[0]
    wanted = list(frame.columns)
    for name, part in parts[1:]:
        if list(part.columns) != wanted:
            raise DataError(f"{name}: its columns {list(part.columns)} are not those of {first}: {wanted}")
    return pd.concat([part for _, part in parts], ignore_index=True)
