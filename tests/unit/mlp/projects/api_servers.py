"""A server that answers as the Kubernetes API would, for one test, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mlp.projects.aws_access import ClusterAddress
from mlp.projects.cluster_access import Cluster


@dataclass
class Asked:
    method: str
    path: str
    token: str
    body: Any


@dataclass
class ApiServer:
    """`answers`: by path without query, status and document; a text goes out as it is. All else is 404."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict[str, tuple[int, Any]])
    asked: list[Asked] = field(default_factory=list[Asked])
    tokens: int = 0

    def token(self) -> str:
        self.tokens += 1
        return f"k8s-aws-v1.{self.tokens}"


@contextmanager
def serving(server: ApiServer) -> Generator[Cluster]:
    """A cluster whose API is this server."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            server.asked.append(Asked(self.command, self.path, self.headers.get("authorization", ""), body))
            missing = {"kind": "Status", "message": f"{self.path} not found"}
            status, document = server.answers.get(self.path.partition("?")[0], (404, missing))
            text = document if isinstance(document, str) else json.dumps(document)
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = _answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    address = ClusterAddress(
        name="ml-platform-dev-eks", endpoint=f"http://127.0.0.1:{http.server_address[1]}", authority=b""
    )
    try:
        with Cluster(address, server.token, who="jo", role="ml-platform-dev-cluster-team-growth") as cluster:
            yield cluster
    finally:
        http.shutdown()
        http.server_close()
        thread.join(timeout=10)
