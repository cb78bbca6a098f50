"""A registry on this machine with the part of the protocol that digest lookups need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX, MANIFEST = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"


def of_architectures(*names: str) -> bytes:
    """Return an index, as a registry has it for a multi-architecture image."""
    entries = [{"mediaType": MANIFEST, "digest": f"sha256:{name:0>64}", "size": 1} for name in names]
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """Registry stub: clients that accept an index get it, others get one architecture.

    `token` is the required token, if any.
    """

    def __init__(self) -> None:
        self.tags: dict[str, bytes] = {}
        self.token: str | None = None
        self.lies = False
        self.scopes: list[str] = []
        self.host = ""

    def push(self, path: str, content: bytes) -> str:
        """Store content under `path` (repository:tag); returns the digest."""
        self.tags[path] = content
        return digest(content)


@contextmanager
def serving(registry: Registry) -> Generator[Registry]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/token":
                registry.scopes += parse_qs(parts.query)["scope"]
                self._answer(200, json.dumps({"token": registry.token}).encode(), "application/json")
            elif registry.token and self.headers.get("Authorization") != f"Bearer {registry.token}":
                realm = f'Bearer realm="http://{registry.host}/token",service="test"'
                self._answer(401, b"{}", "application/json", {"WWW-Authenticate": realm})
            else:
                self._manifest(parts.path)

        def _manifest(self, path: str) -> None:
            name, _, tag = path.removeprefix("/v2/").rpartition("/manifests/")
            content = registry.tags.get(f"{name}:{tag}")
            if content is None:
                self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}', "application/json")
                return
            kind = str(json.loads(content)["mediaType"])
            if kind == INDEX and INDEX not in self.headers.get("Accept", ""):
                kind, content = MANIFEST, json.dumps({"schemaVersion": 2, "mediaType": MANIFEST}).encode()
            said = f"sha256:{'0' * 64}" if registry.lies else digest(content)
            self._answer(200, content, kind, {"Docker-Content-Digest": said})

        def _answer(self, status: int, content: bytes, kind: str, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(more or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.host = f"127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield registry
        server.shutdown()
