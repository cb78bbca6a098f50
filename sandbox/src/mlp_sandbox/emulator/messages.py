"""Messages of the emulator: a request as received, and the reply to it.

Requests are plain data so that the journal can store them. The WSGI environment is always rebuilt from that data, so
the live path and the replay run through exactly the same code.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, unquote_to_bytes

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from werkzeug.wsgi import get_input_stream

Environ: TypeAlias = dict[str, Any]
WsgiApplication: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request with its whole body. `target` is path and query exactly as received."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str, default: str = "") -> str:
        """Return the value of a header. Names match in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)

    @property
    def path(self) -> str:
        """Path without the query, still percent-encoded."""
        return self.target.split("?", 1)[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """Arguments after the question mark."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def form(self) -> dict[str, list[str]]:
        """Arguments of a form body; empty for any other kind of body."""
        if not self.header("content-type").startswith(FORM):
            return {}
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP response with its whole body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str, default: str = "") -> str:
        """Return the value of a header. Names match in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), default)


def request_from_environ(environ: Mapping[str, Any]) -> Request:
    """Read a request with its body from the environment of the WSGI server."""
    original_names: dict[str, str] = environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY) or {}
    headers: list[tuple[str, str]] = []
    for key, value in environ.items():
        if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} or key.startswith("HTTP_"):
            name = key.removeprefix("HTTP_").replace("_", "-").title()
            headers.append((original_names.get(key, name), str(value)))
    body = get_input_stream(cast(Environ, environ)).read()
    target = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or environ.get("PATH_INFO", "/"))
    if "://" in target.split("?", 1)[0]:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    kept = tuple(
        (name, value) for name, value in headers if name.lower() not in {"content-length", "transfer-encoding"}
    )
    return Request(method=str(environ["REQUEST_METHOD"]), target=target, headers=kept, body=body)


def environ_for(request: Request) -> Environ:
    """Return the WSGI environment in which moto executes a request."""
    path, _, query = request.target.partition("?")
    host, _, port = request.header("host", "127.0.0.1:4566").partition(":")
    environ: Environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
    }
    for name, value in request.headers:
        key = environ_key_for_header(name)
        environ[key] = value
        if should_preserve_original_header_name(name):
            environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY][key] = name
    return environ


def call_wsgi(application: WsgiApplication, environ: Environ) -> Reply:
    """Run a WSGI application to the end and return its reply."""
    started: list[tuple[int, tuple[tuple[str, str], ...]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Callable[..., Any]:
        started.append((int(status.split(" ", 1)[0]), tuple(headers)))
        return written.append

    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Reply(status=status, headers=headers, body=b"".join(written))
