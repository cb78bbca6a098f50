"""Source of the data of a run, parsed from the conductor's environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from ml_workloads.runtime import aws
from ml_workloads.runtime.conductor.asked import Worker
from ml_workloads.runtime.data import DataError, ReadOptions, S3Objects, Source
from ml_workloads.runtime.data.joining import one_table
from ml_workloads.runtime.data.options import Part
from ml_workloads.runtime.data.tables import check_name


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """A CSV or Parquet file in the project's image. The project's code can read it there, held-out rows included."""

    path: Path
    worker: Worker

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def read(self, options: ReadOptions) -> pd.DataFrame:
        """Return the table in the file."""
        check_name(self.name)
        content = self.worker.data()
        return one_table([Part(name=self.name, content=lambda: content)], options)


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LocalDocument(_Document):
    type: Literal["local"]
    path: Path

    def source(self, worker: Worker, patience_seconds: float) -> Source:
        del patience_seconds
        return ImageFile(path=self.path, worker=worker)


class S3Document(_Document):
    type: Literal["s3"]
    bucket: str
    key: str

    def source(self, worker: Worker, patience_seconds: float) -> Source:
        del worker, patience_seconds
        return S3Objects(bucket=self.bucket, key=self.key)


class SqlDocument(_Document):
    """`secret` is the ARN of a secret in Secrets Manager that holds SQLAlchemy's URL as `{"url": ...}`."""

    type: Literal["sql"]
    secret: str
    query: str

    def source(self, worker: Worker, patience_seconds: float) -> Source:
        del worker
        # Imported here, because most trainings do not need these modules and the import takes half a second.
        from ml_workloads.runtime.data.address import HOW_TO_WRITE, parse
        from ml_workloads.runtime.data.database import SqlQuery

        try:
            held = aws.secret(self.secret, seconds=patience_seconds)
        except aws.REFUSALS as error:
            raise DataError(f"secret {self.secret}: {aws.said(error)}") from error
        try:
            url = json.loads(held)["url"]
        except (ValueError, KeyError, TypeError):
            raise DataError(f"secret {self.secret}: {HOW_TO_WRITE}") from None
        parse(self.secret, url)
        return SqlQuery(url=url, query=self.query, secret=self.secret)
