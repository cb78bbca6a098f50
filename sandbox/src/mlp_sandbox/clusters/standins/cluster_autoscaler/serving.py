"""Health check and metrics, at the original's address and with its names."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

STALE_SECONDS = 900.0
"""The original's max-failing-time, in seconds."""


@dataclass(kw_only=True)
class Health:
    """Health data that the loop writes and the server reads."""

    last_success: float = field(default_factory=time.monotonic)
    metrics: dict[str, float] = field(default_factory=dict[str, float])

    def well(self) -> bool:
        return time.monotonic() - self.last_success < STALE_SECONDS

    def text(self) -> str:
        lines: list[str] = []
        for name, value in self.metrics.items():
            bare = name.partition("{")[0]
            kind = "counter" if bare.endswith("_total") else "gauge"
            if f"# TYPE {bare} {kind}" not in lines:
                lines.append(f"# TYPE {bare} {kind}")
            lines.append(f"{name} {value:g}")
        return "\n".join(lines) + "\n"


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        # HTTPServer's method would look up the address's name and wait for name servers.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "", 0


def serve_in_thread(address: str, health: Health) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health-check":
                body, status = ("OK", 200) if health.well() else ("no successful turn for too long", 500)
            elif self.path == "/metrics":
                body, status = health.text(), 200
            else:
                body, status = "not found", 404
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing, because probes are frequent."""

    host, _, port = address.rpartition(":")
    server = _Server((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
