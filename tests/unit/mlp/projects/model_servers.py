"""The server of a project's model, in this process, with answers that a test sets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mlp.projects.port_forward import PortForward


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Generator[PortForward]:
    """Forward a port to a server of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def connect() -> Any:
        connection = socket.create_connection(("127.0.0.1", server.server_port))
        return connection, connection.close

    try:
        with PortForward(connect) as forward:
            yield forward
    finally:
        server.shutdown()
        server.server_close()


class Model:
    """Stub of the project's server: one answer per path."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "/readyz": (200, {"status": "ready", "model": {"name": "churn", "version": "3"}, "problem": ""}),
            "/predict": (200, {"predictions": ["yes"], "model": {"name": "churn", "version": "3"}}),
        }
        self.bodies: list[Any] = []

    @contextmanager
    def forwarded(self) -> Generator[PortForward]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                model.bodies.append(json.loads(self.rfile.read(size)) if size else None)
                code, document = model.answers.get(self.path, (404, {"detail": "Not Found"}))
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            do_GET = do_POST = _answer

            def log_message(self, format: str, *args: object) -> None:
                pass

        with answering(Handler) as forward:
            yield forward
