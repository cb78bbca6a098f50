"""Settings of a project's data: its source, and the contract that it has to meet before training."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, Strict

from ml_workloads.project.names import PythonObject, SecretName
from ml_workloads.project.sql import reading_query
from validation.base import Allowed, Section, unique

FORMATS: Final = ".csv, .csv.gz, .csv.bz2, .csv.xz, .csv.zst or .parquet"
"""File formats that training reads, in upper or lower case. Keep in sync with `ml_workloads.runtime.data.tables`, which
imports pandas."""
_FILE: Final = re.compile(r"(.*/)?\.*[^./][^/]*\.(csv(\.(gz|bz2|xz|zst))?|parquet)", re.IGNORECASE)


def _relative(text: str) -> str:
    parts = text.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._=/-]{1,512}", text) or ".." in parts or "" in parts[:-1]:
        raise ValueError("write a path without leading / or .., of letters, digits and . _ = -")
    return text


def _file(text: str) -> str:
    if not _FILE.fullmatch(_relative(text)):
        raise ValueError(f"write a file that ends with {FORMATS}")
    return text


def _object_or_prefix(text: str) -> str:
    if not _relative(text).endswith("/") and not _FILE.fullmatch(text):
        raise ValueError(f"write an object that ends with {FORMATS}, or a prefix that ends with /")
    return text


FilePath = Annotated[str, AfterValidator(_file), Allowed(f"relative path that ends with {FORMATS}")]
ObjectPath = Annotated[str, AfterValidator(_object_or_prefix), Allowed(f"relative path that ends with /, {FORMATS}")]


class S3Source(Section):
    type: Literal["s3"]
    path: ObjectPath
    """Object, or prefix that ends with /, below the project's own prefix in the data lake; Parquet or CSV."""


class SqlSource(Section):
    type: Literal["sql"]
    secret: SecretName
    """One of the project's secrets; it holds the address of the database, with user and password."""
    query: Annotated[str, AfterValidator(reading_query), Allowed("one SELECT statement")]
    """The statement that is run. Add an ORDER BY if the data's digest shall tell whether anything has changed."""


class LocalSource(Section):
    type: Literal["local"]
    path: FilePath
    """File in the project's image; Parquet or CSV."""


Words = Annotated[
    tuple[Annotated[str, Field(max_length=64)], ...], Strict(False), AfterValidator(unique), Allowed("list of words")
]


class DataSettings(Section):
    source: Annotated[S3Source | SqlSource | LocalSource, Field(discriminator="type")]
    target: str = Field(min_length=1, max_length=128)
    """The column that the model predicts."""
    contract: PythonObject
    """The pandera schema that the data must meet; no model is trained on data that breaks it.
    https://pandera.readthedocs.io/en/stable/dataframe_schemas.html"""
    missing_values: Words = ("",)
    """Words that mean a missing value in a CSV. To keep the empty cell beside other words, such as NA, list "" too."""
