"""Where a project's data comes from, and what must hold of it before anything is trained on it."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from ml_workloads.project.names import PythonObject, SecretName
from ml_workloads.project.sql import reading_query
from validation.base import Allowed, Section, unique


def _relative(text: str) -> str:
    parts = text.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._=/-]{1,512}", text) or ".." in parts or "" in parts[:-1]:
        raise ValueError("write a path without leading / or .., of letters, digits and . _ = -")
    return text


RelativePath = Annotated[str, AfterValidator(_relative), Allowed("relative path")]


class S3Source(Section):
    type: Literal["s3"]
    path: RelativePath
    """Object, or prefix that ends with /, below the project's own prefix in the data lake; Parquet or CSV."""


class SqlSource(Section):
    type: Literal["sql"]
    secret: SecretName
    """One of the project's secrets; it holds the address of the database, with user and password."""
    query: Annotated[str, AfterValidator(reading_query), Allowed("one SELECT statement")]
    """What is read, with an ORDER BY where the data's digest shall tell whether anything has changed."""


class LocalSource(Section):
    type: Literal["local"]
    path: RelativePath
    """File in the project's image; Parquet or CSV."""


Words = Annotated[
    tuple[Annotated[str, Field(max_length=64)], ...], Strict(False), AfterValidator(unique), Allowed("list of words")
]


class DataSettings(Section):
    source: Annotated[S3Source | SqlSource | LocalSource, Field(discriminator="type")]
    target: str = Field(min_length=1, max_length=128)
    """The column that the model predicts."""
    contract: PythonObject
    """The pandera schema that the data must meet; nothing is trained on data that breaks it.
    https://pandera.readthedocs.io/en/stable/dataframe_schemas.html"""
    missing_values: Words = ("",)
    """Words that mean a missing value in a CSV. List "" for an empty cell beside others, such as NA."""
