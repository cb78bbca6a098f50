"""Data in files of the project's image, and in objects of S3."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError

from ml_workloads.runtime import aws
from ml_workloads.runtime.data.errors import DataError, some_of
from ml_workloads.runtime.data.joining import one_table
from ml_workloads.runtime.data.layout import Listed, partition, tables
from ml_workloads.runtime.data.options import Part, ReadOptions
from ml_workloads.runtime.data.tables import check_name
from ml_workloads.runtime.errors import PlatformError

_DENIED: Final = {"AccessDenied", "AllAccessDisabled", "403"}
_REPLACED: Final = {"PreconditionFailed", "NoSuchKey", "412", "404"}


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A CSV or Parquet file."""

    path: Path

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def read(self, options: ReadOptions) -> pd.DataFrame:
        """Return the table in the file."""
        check_name(self.name)
        if not self.path.is_file():
            raise DataError(f"{self.path}: there is no such file; it has to be copied into the image")
        return one_table([Part(name=self.name, content=self.path.read_bytes)], options)


@dataclass(frozen=True, kw_only=True)
class S3Objects:
    """One object, or all objects below a `key` that ends with /, in the order of their keys."""

    bucket: str
    key: str

    @property
    def name(self) -> str:
        """Return the address, such as `s3://lake/churn/`."""
        return self._address(self.key)

    def read(self, options: ReadOptions) -> pd.DataFrame:
        """Return the table in the object, or in all objects below the prefix."""
        seconds = options.patience_seconds
        if not self.key.endswith("/"):
            check_name(self.name)
            return one_table([self._part(self._object(seconds), seconds)], options)
        found = tables(self.name, self.key, list(self._listed(self.key, seconds)))
        return one_table([self._part(each, seconds) for each in found], options)

    def _part(self, listed: Listed, seconds: float) -> Part:
        below = listed.key.removeprefix(self.key) if self.key.endswith("/") else ""
        return Part(
            name=self._address(listed.key),
            content=lambda: self._content(listed, seconds),
            partition=partition(below),
        )

    def _object(self, seconds: float) -> Listed:
        """Look the object up in the listing.

        S3 answers 403 for a missing object unless the role may list all keys.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        first = next(self._listed(self.key, seconds), None)
        if first is not None and first.key == self.key:
            return first
        folder = self.key.rpartition("/")[0]
        folder = f"{folder}/" if folder else ""
        near = [each.key for each in self._listed(folder, seconds)]
        if f"{self.key}/" in {key[: len(self.key) + 1] for key in near}:
            raise DataError(f"there is no object {self.name}, but a folder of this name; end data.source.path with /")
        close = difflib.get_close_matches(self.key, near, n=len(near) or 1, cutoff=0.0)
        there = f"in this folder are {some_of(close)}" if near else f"nothing is below {self._address(folder)}"
        raise DataError(f"there is no object {self.name}: {there}; upload it, or mend data.source.path")

    def _listed(self, prefix: str, seconds: float) -> Iterator[Listed]:
        token: dict[str, str] = {}
        while True:
            page = self._call(f"list {self._address(prefix)}", seconds, "list_objects_v2", Prefix=prefix, **token)
            for entry in page.get("Contents", []):
                yield Listed(key=str(entry["Key"]), size=int(entry["Size"]), etag=str(entry["ETag"]))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": str(page["NextContinuationToken"])}

    def _content(self, listed: Listed, seconds: float) -> bytes:
        return self._call(
            f"read {self._address(listed.key)}", seconds, "get_object", Key=listed.key, IfMatch=listed.etag
        )["Body"]

    def _call(self, what: str, seconds: float, operation: str, **arguments: Any) -> dict[str, Any]:
        """Call S3, and read a body to its end, because reading may fail and be retried like the call."""

        def call() -> dict[str, Any]:
            answer = getattr(aws.client("s3"), operation)(Bucket=self.bucket, **arguments)
            return {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer

        try:
            return aws.patiently(what, call, seconds=seconds)
        except ClientError as error:
            raise self._refused(what, error) from None
        except BotoCoreError as error:
            raise DataError(f"cannot {what}: {aws.said(error)}") from error

    def _refused(self, what: str, error: ClientError) -> DataError | PlatformError:
        code, said = aws.error_code(error), aws.said(error)
        if code == "NoSuchBucket":
            return DataError(f"{self.name}: there is no bucket {self.bucket} (NoSuchBucket); deploy the environment")
        if code in _REPLACED:
            return PlatformError(f"cannot {what}: it was replaced or deleted since it was listed; start the run again")
        if code.startswith("KMS.") or "kms:" in said.lower():
            return DataError(
                f"cannot {what}: the key that it is encrypted with cannot be used ({said}); "
                "upload it again without naming a key, which takes the bucket's own"
            )
        if code == "InvalidObjectState":
            return DataError(f"cannot {what}: it is archived; restore it, or upload it again")
        if code in _DENIED:
            return DataError(
                f"cannot {what}: S3 answers {code}; it does not exist, or the role of this pod may not read it: "
                "data.source.path is below the project's own prefix of the data lake"
            )
        return DataError(f"cannot {what}: {said}")

    def _address(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"
