"""A stub of the Kubernetes API for one test, which records its requests."""

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
    """Stub of the API; all paths without an answer give 404.

    `answers` maps a path without query to status and document; text is sent as is.
    """

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict[str, tuple[int, Any]])
    asked: list[Asked] = field(default_factory=list[Asked])
    tokens: int = 0

    def token(self) -> str:
        self.tokens += 1
        return f"k8s-aws-v1.{self.tokens}"


@contextmanager
def serving(server: ApiServer) -> Generator[Cluster]:
    """Yield a cluster whose API is this server."""

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
