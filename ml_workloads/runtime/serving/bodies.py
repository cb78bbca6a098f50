"""Reads the bodies of requests within limits: a time for each, and an amount of memory for all together.

A client that sends nothing, or a byte now and then, keeps its connection but does not block others: it takes no slot of
`max_concurrency`. If there are too many such clients, those that have been sending longest are cancelled.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from anyio import CancelScope, move_on_after
from starlette.requests import Request

from ml_workloads.runtime.serving.prediction_errors import PredictionError

BODY_SECONDS: Final = 10.0
MOST_READERS: Final = 256
"""Maximum number of bodies that are read at the same time."""

MOST_BODIES: Final = 32
"""Memory limit of the bodies that are being read, as a number of bodies of the maximum size."""


@dataclass(eq=False)
class _Reader:
    """A body that is being read. `content` grows."""

    scope: CancelScope
    content: bytearray = field(default_factory=bytearray)


class Bodies:
    """Reads bodies of at most `max_bytes` within `seconds` each."""

    def __init__(self, max_bytes: int, seconds: float = BODY_SECONDS) -> None:
        self._max_bytes, self._seconds = max_bytes, seconds
        self._readers: dict[_Reader, None] = {}  # oldest first

    async def read(self, request: Request) -> bytes:
        """Return the body of a request.

        Raises:
            Refusal: 413 for more bytes than allowed, whatever length the request declares; 408 for a body that is not
                complete in time, or that is cancelled because of others.
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
        raise PredictionError(
            408,
            f"the body was not complete within {self._seconds:g} s, or had to make room for others; send it at once",
            # The rest of the body may arrive at any time, or never.
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
        """Cancel the oldest readers until the others are few and small enough."""
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

    def _too_large(self) -> PredictionError:
        words = f"the body is larger than {self._max_bytes} bytes; send fewer rows at a time"
        # No `Connection: close` here: closing a connection while bytes arrive resets it, and the client loses the
        # answer. The rest of the body is skipped until the connection's time for it is over.
        return PredictionError(413, words)
