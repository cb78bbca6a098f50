"""Connections with time limits: uvicorn's HTTP protocol, with limits for headers and for reading answers.

uvicorn has a time limit between two requests only, and cancels it as soon as a byte arrives.
https://github.com/encode/uvicorn/blob/main/uvicorn/protocols/http/h11_impl.py
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS: Final = 512
"""Maximum number of open connections. Beyond it those that have waited longest without a request are closed."""

_TIMEOUT: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
)


def protocol(seconds: float, most: int = MOST_CONNECTIONS) -> type[H11Protocol]:
    """Return the class of connections for one server.

    Args:
        seconds: Time limit for the headers of a request, and for reading an answer.
        most: Maximum number of open connections.
    """
    waiting: dict[Any, None] = {}  # connections between requests, oldest first
    opened: set[Any] = set()

    class LimitedProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            opened.add(self)
            self._wait()
            if len(opened) > most and waiting:
                next(iter(waiting))._expire()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            opened.discard(self)
            super().connection_lost(exc)

        def handle_events(self) -> None:
            super().handle_events()
            if self._answering():
                self._stop_waiting()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # The next request may have arrived already.
            if not self._answering():
                self._wait()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._timer = self._timer or self.loop.call_later(seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._answering():
                self._stop_waiting()

        def _answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _wait(self) -> None:
            self._stop_waiting()
            waiting[self] = None
            self._timer = self.loop.call_later(seconds, self._expire)

        def _stop_waiting(self) -> None:
            waiting.pop(self, None)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _expire(self) -> None:
            """Close the connection. A client that does not read the last bytes loses them."""
            self._stop_waiting()
            if self.transport.is_closing():
                self.transport.abort()
                return
            if self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
                body = b'{"detail":"the headers were not complete within %g s"}' % seconds
                self.transport.write(_TIMEOUT % len(body) + body)
            self.transport.close()
            self._timer = self.loop.call_later(1, self.transport.abort)

    return LimitedProtocol
