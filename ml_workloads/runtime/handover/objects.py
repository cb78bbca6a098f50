"""Object store of a run, in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from ml_workloads.runtime import aws
from ml_workloads.runtime.errors import PlatformError

_ABSENT: Final = frozenset({"NoSuchKey", "404"})
_DENIED: Final = frozenset({"AccessDenied", "403"})
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class Objects(Protocol):
    """Operations of the store that a run needs."""

    def put(self, key: str, content: bytes) -> None: ...

    def put_first(self, key: str, content: bytes) -> bool:
        """Write an object unless there is one. Return whether it was written."""
        ...

    def get(self, key: str) -> bytes | None: ...

    def keys(self, prefix: str) -> list[str]: ...

    def delete(self, key: str) -> None: ...


class Bucket:
    """Objects in a bucket of S3. Calls are retried for `patience` seconds while S3 does not answer.

    Raises:
        PlatformError: S3 does not answer, or rejects the call. The project cannot fix either.
    """

    def __init__(self, bucket: str, *, patience: float) -> None:
        self._bucket, self._patience = bucket, patience

    def put(self, key: str, content: bytes) -> None:
        self._call(f"write {key}", "put_object", frozenset(), Key=key, Body=content)

    def put_first(self, key: str, content: bytes) -> bool:
        """Write an object unless it exists. Return whether it was written.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        return self._call(f"write {key}", "put_object", _TAKEN, Key=key, Body=content, IfNoneMatch="*") is not None

    def get(self, key: str) -> bytes | None:
        """Return an object, or None if it does not exist.

        S3 answers 403 for a missing object if the role may list only some prefixes, so the listing is checked as well.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        found = self._call(f"read {key}", "get_object", _ABSENT | _DENIED, Key=key)
        if found is None and key in self.keys(key):
            found = self._call(f"read {key}", "get_object", frozenset(), Key=key)
        return None if found is None else bytes(found["Body"])

    def keys(self, prefix: str) -> list[str]:
        return list(self._listed(prefix))

    def delete(self, key: str) -> None:
        self._call(f"delete {key}", "delete_object", frozenset(), Key=key)

    def _listed(self, prefix: str) -> Iterator[str]:
        token: dict[str, str] = {}
        while True:
            page = self._call(f"list {prefix}", "list_objects_v2", frozenset(), Prefix=prefix, **token) or {}
            yield from (str(entry["Key"]) for entry in page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": str(page["NextContinuationToken"])}

    def _call(self, what: str, operation: str, none_for: frozenset[str], **arguments: Any) -> dict[str, Any] | None:
        """Call S3 and read a body to its end. Return None for an error whose code is in `none_for`."""
        address = f"{what} in s3://{self._bucket}"
        try:
            return aws.patiently(address, self._request(operation, arguments), seconds=self._patience)
        except ClientError as error:
            if aws.error_code(error) in none_for:
                return None
            raise PlatformError(f"cannot {address}: {aws.said(error)}") from error
        except BotoCoreError as error:
            raise PlatformError(f"cannot {address}: {aws.said(error)}") from error

    def _request(self, operation: str, arguments: dict[str, Any]) -> Callable[[], dict[str, Any]]:
        def call() -> dict[str, Any]:
            answer = getattr(aws.client("s3"), operation)(Bucket=self._bucket, **arguments)
            return {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer

        return call
