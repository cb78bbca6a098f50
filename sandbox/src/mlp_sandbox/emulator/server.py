"""The HTTP server on the loopback address: one thread per connection, whole replies, clean shutdown."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, TypeAlias

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from mlp_sandbox.emulator.messages import Environ, Reply, Request, request_from_environ

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"
RUNNING_SECONDS = 30.0
"""Time that running requests may take after the server was told to stop, in seconds."""

Handler: TypeAlias = Callable[[Request], Reply]


class PortTakenError(Exception):
    """The server cannot listen on the port; the message names it."""


def _quiet(finished: Callable[[], None]) -> type[MotoRequestHandler]:
    """Create a handler class with HTTP/1.1 and no log line per request.

    `finished` is called whenever a request ends, in whatever way.
    """

    class Quiet(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Write no log line."""

        def run_wsgi(self) -> None:
            # Not in the reply's close(): werkzeug skips that when the client resets its connection.
            try:
                super().run_wsgi()
            finally:
                finished()

    return Quiet


class Server:
    """A server that runs a handler until it receives a request to stop. It stops only between requests."""

    def __init__(self, port: int, handler: Handler) -> None:
        self._handler = handler
        self._running: set[int] = set()  # threads, each of which serves one request at a time
        self._closed = False
        self._idle = threading.Condition()
        self._stopping = threading.Event()
        try:
            # The socket is bound here because werkzeug ends the process when the port is taken.
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as error:
            raise PortTakenError(
                f"port {port} on {HOST} cannot be used: {error.strerror}; choose another one"
            ) from None
        self.port: int = listener.getsockname()[1]
        self._server: BaseWSGIServer = make_server(
            HOST,
            self.port,
            self._application,
            threaded=True,
            request_handler=_quiet(self._finished),
            fd=listener.fileno(),
        )
        listener.detach()

    def stop_on_signals(self) -> None:
        """Make SIGTERM and SIGINT end `run`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: self.stop(signal.Signals(received).name))

    def stop(self, why: str) -> None:
        """End `run` after the running requests are answered. Safe in a signal handler."""
        if not self._stopping.is_set():
            self._stopping.set()
            _log.info("stopping: %s", why)
            threading.Thread(target=self._server.shutdown, name="shutdown").start()

    def run(self) -> None:
        """Serve requests; return when stopped and idle."""
        self._server.serve_forever(poll_interval=0.1)
        with self._idle:
            self._idle.wait_for(lambda: not self._running, timeout=RUNNING_SECONDS)
            self._closed = True
        self._server.server_close()

    def _application(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = request_from_environ(environ)  # first: a client that sends half a request must not delay the end
        with self._idle:
            if self._closed:
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            self._running.add(threading.get_ident())
        reply = self._handler(request)
        headers = [(name, value) for name, value in reply.headers if name.lower() != "connection"]
        if request.method != "HEAD" and not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {_phrase(reply.status)}", headers)
        return self._sent(b"" if request.method == "HEAD" else reply.body)

    def _sent(self, body: bytes) -> Iterator[bytes]:
        yield body
        self._finished()  # more was requested, so the body is written; werkzeug may keep reading for long

    def _finished(self) -> None:
        with self._idle:
            self._running.discard(threading.get_ident())
            self._idle.notify_all()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
