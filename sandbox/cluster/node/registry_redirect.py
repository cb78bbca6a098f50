"""Sends every image pull of the node to the cluster's registry, whose repositories are `<registry host>/<path>`.

containerd names the host that an image reference has in the query (`?ns=docker.io`) and cannot put it into the path:
a redirect does, for any host. https://github.com/containerd/containerd/blob/main/docs/hosts.md
"""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

ADDRESS = ("127.0.0.1", 5001)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")


def target(registry: str, path: str) -> str | None:
    """Where a request of containerd goes; None when it names no host."""
    parts = urlsplit(path)
    query = parse_qsl(parts.query)
    host = dict(query).get("ns", "")
    if parts.path in ("/v2", "/v2/"):
        return f"http://{registry}/v2/"
    if not parts.path.startswith("/v2/") or not _HOST.fullmatch(host):
        return None
    rest = [(name, value) for name, value in query if name != "ns"]
    # A colon is no character of a repository's name.
    there = f"http://{registry}/v2/{host.replace(':', '_')}/{parts.path.removeprefix('/v2/')}"
    return f"{there}?{urlencode(rest)}" if rest else there


def serve_in_thread(registry: str) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            there = target(registry, self.path)
            self.send_response(404 if there is None else 307)
            if there is not None:
                self.send_header("Location", there)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """The registry keeps a log; this one would grow without bounds."""

    server = ThreadingHTTPServer(ADDRESS, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
