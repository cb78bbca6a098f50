"""Reads the bodies of requests: each within a time, all together within an amount of memory.

A client that sends nothing, or a byte now and then, keeps its connection but nobody else from an answer: it takes no
slot of `max_concurrency`, and where there are too many of its kind, those that have been sending longest have to go.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from anyio import CancelScope, move_on_after
from starlette.requests import Request

from ml_workloads.runtime.serving.refusals import Refusal

BODY_SECONDS: Final = 10.0
MOST_READERS: Final = 256
"""Bodies that are read at the same time."""

MOST_BODIES: Final = 32
"""Bodies of the largest size that are kept in memory while they are read."""


@dataclass(eq=False)
class _Reader:
    """A body that is being read. `content` grows."""

    scope: CancelScope
    content: bytearray = field(default_factory=bytearray)


class Bodies:
    """Reads bodies of at most `max_bytes` within `seconds` each."""

    def __init__(self, max_bytes: int, seconds: float = BODY_SECONDS) -> None:
        self._max_bytes, self._seconds = max_bytes, seconds
        self._readers: dict[_Reader, None] = {}  # the oldest first

    async def read(self, request: Request) -> bytes:
        """Return the body.

        Raises:
            Refusal: 413 for more bytes than allowed, whatever the request says of its own length; 408 for one that
                is not complete in time, or that has to make room.
            ClientDisconnect: The client left.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > self._max_bytes):
            raise self._too_large()
        with move_on_after(self._seconds) as scope, self._reading(scope) as reader:
            async for part in request.stream():
                reader.content += part
                if len(reader.content) > self._max_bytes:
                    raise self._too_large()
                self._make_room(reader)
            return bytes(reader.content)
        raise Refusal(
            408,
            f"the body was not complete within {self._seconds:g} s, or had to make room for others; send it at once",
            # The rest of it may come at any time, or never.
            {"Connection": "close"},
        )

    @contextmanager
    def _reading(self, scope: CancelScope) -> Generator[_Reader]:
        reader = _Reader(scope)
        self._readers[reader] = None
        self._make_room(reader)
        try:
            yield reader
        finally:
            self._readers.pop(reader, None)

    def _make_room(self, newest: _Reader) -> None:
        """Stop the oldest readers until the others are few and small enough."""
        while self._crowded():
            oldest = next((each for each in self._readers if each is not newest), None)
            if oldest is None:
                return
            del self._readers[oldest]
            oldest.content = bytearray()
            oldest.scope.cancel()

    def _crowded(self) -> bool:
        most = MOST_BODIES * self._max_bytes
        return len(self._readers) > MOST_READERS or sum(len(each.content) for each in self._readers) > most

    def _too_large(self) -> Refusal:
        words = f"the body is larger than {self._max_bytes} bytes; send fewer rows at a time"
        # Without `Connection: close`: a connection that is closed while bytes come is reset, and the answer with it.
        # The rest of the body is passed over until the connection's time for it is over.
        return Refusal(413, words)
