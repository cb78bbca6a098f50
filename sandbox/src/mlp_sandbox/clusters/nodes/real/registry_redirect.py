"""Redirect of all image pulls of a node to the cluster's registry, whose repositories are `<registry host>/<path>`.

containerd sends the host of an image reference in the query (`?ns=docker.io`) and cannot put it into the path. The
redirect does so for any host. https://github.com/containerd/containerd/blob/main/docs/hosts.md If the registry lacks an
image, the host is first asked to pull it (`mlp_sandbox.clusters.images.pulls`).
"""

from __future__ import annotations

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

ADDRESS = ("127.0.0.1", 5001)
NOT_HERE = "not in the sandbox's image catalogue"
PULLS_PORT, PULLS_PATH = 5001, "/pull"
"""Port and path of the service that pulls images, which has the registry's address."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_SECONDS = 20
_PULL_SECONDS = 2 * 3600
_LONGEST_REASON = 1000


def target(path: str) -> str | None:
    """Return the registry's path for a request of containerd, or None if the request names no host."""
    parts = urlsplit(path)
    query = parse_qsl(parts.query)
    host = dict(query).get("ns", "")
    if parts.path in ("/v2", "/v2/"):
        return "/v2/"
    if not parts.path.startswith("/v2/") or not _HOST.fullmatch(host):
        return None
    rest = [(name, value) for name, value in query if name != "ns"]
    # Repository names cannot contain a colon.
    there = f"/v2/{host.replace(':', '_')}/{parts.path.removeprefix('/v2/')}"
    return f"{there}?{urlencode(rest)}" if rest else there


def lacks(registry: str, path: str, accept: str) -> bool:
    """Return True if the registry responds that it does not have a manifest. No response counts as False."""
    if "/manifests/" not in path:
        return False
    connection = http.client.HTTPConnection(registry, timeout=_SECONDS)
    try:
        connection.request("HEAD", path, headers={"Accept": accept})
        return connection.getresponse().status == 404
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def problem(registry: str, path: str) -> str | None:
    """Request that the host pulls an image. Returns None once the registry has it, or else the reason why it does not.

    `path` is the registry's: /v2/<host>/<path>/manifests/<tag or digest>.
    """
    name, _, tag = path.partition("?")[0].removeprefix("/v2/").rpartition("/manifests/")
    host, _, rest = name.partition("/")
    image = f"{host.replace('_', ':')}/{rest}{'@' if ':' in tag else ':'}{tag}"
    connection = http.client.HTTPConnection(registry.partition(":")[0], PULLS_PORT, timeout=_PULL_SECONDS)
    try:
        connection.request("GET", f"{PULLS_PATH}?{urlencode({'image': image})}")
        answer = connection.getresponse()
        return None if answer.status == 200 else f"{NOT_HERE}, nor to be pulled: {answer.read().decode()}"
    except (OSError, http.client.HTTPException) as error:
        return f"{NOT_HERE}; the cluster's supervisor, which pulls others, does not answer: {error}"
    finally:
        connection.close()


def status_line(text: str) -> str:
    """Return a text as one line in Latin-1, because containerd only passes on the status line of an error response."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")[:_LONGEST_REASON]


def serve_in_thread(registry: str) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            there = target(self.path)
            if there is None:
                self.send_response(404)
            elif reason := self._reason(there):
                # Not 404, for which containerd reports only "not found".
                self.send_response(410, status_line(reason))
            else:
                self.send_response(307)
                self.send_header("Location", f"http://{registry}{there}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def _reason(self, there: str) -> str | None:
            accept = ", ".join(self.headers.get_all("Accept", ["*/*"]))
            return problem(registry, there) if lacks(registry, there, accept) else None

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the registry has its own log, and this one would grow without limit."""

    server = ThreadingHTTPServer(ADDRESS, Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
