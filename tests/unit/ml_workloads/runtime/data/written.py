"""Written table parts for tests of the readers."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_workloads.runtime.data.layout import partition
from ml_workloads.runtime.data.options import Part


def part(name: str, content: bytes | str | pd.DataFrame) -> Part:
    """Return a part of a table by its path below the prefix."""
    held = parquet(content) if isinstance(content, pd.DataFrame) else content
    written = held.encode() if isinstance(held, str) else held
    return Part(name=name, content=lambda: written, partition=partition(name))


def parquet(frame: pd.DataFrame, **options: Any) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


COMPRESSION: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd,
}
