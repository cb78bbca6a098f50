"""S3 object listing: moto's version shows prefixes of deleted objects, and pages only half of the result.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
"""

from collections.abc import Iterator
from typing import Any

from moto.s3.exceptions import MethodNotAllowed
from moto.s3.models import FakeDeleteMarker, FakeTableStorageBucket, S3Backend


def list_objects(
    backend: Any, bucket: Any, prefix: str | None, delimiter: str | None, marker: str | None, max_keys: int | None
) -> tuple[list[Any], list[str], bool, str | None]:
    """Return objects, common prefixes, whether there are more, and the marker of the next page.

    This replaces moto's method, which `list_objects_v2` calls without `marker` and `max_keys`. Objects and common
    prefixes count together and are paged together. The marker of the next page is returned only with a delimiter.
    """
    if isinstance(bucket, FakeTableStorageBucket):
        raise MethodNotAllowed
    entries = dict(_entries(bucket, prefix or "", delimiter))
    after = backend._pagination_tokens.get(marker) or marker
    names = sorted(name for name in entries if not after or name > after)
    shown = names if max_keys is None else names[:max_keys]
    truncated = len(shown) < len(names) and max_keys != 0
    keys = [entries[name] for name in shown if entries[name] is not None]
    prefixes = [name for name in shown if entries[name] is None]
    return keys, prefixes, truncated, shown[-1] if truncated and delimiter else None


def _entries(bucket: Any, prefix: str, delimiter: str | None) -> Iterator[tuple[str, Any]]:
    """Yield names with their objects, and common prefixes with None."""
    for name, key in bucket.keys.items():
        if isinstance(key, FakeDeleteMarker) or not name.startswith(prefix):
            continue
        before, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if found:
            yield f"{prefix}{before}{found}", None
        else:
            yield name, key


_backend: Any = S3Backend
_backend.list_objects = list_objects
