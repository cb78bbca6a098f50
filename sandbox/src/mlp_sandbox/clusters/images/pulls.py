"""Service that pulls images for nodes, which have no internet access.

The host pulls an image once for all nodes that request it, into the storage of the clusters.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from mlp_sandbox.clusters.control_plane.inside import listen_inside
from mlp_sandbox.clusters.images import pull_image
from mlp_sandbox.clusters.images.upstream import Reach
from mlp_sandbox.clusters.nodes.real.registry_redirect import PULLS_PATH, PULLS_PORT
from mlp_sandbox.errors import SandboxError

Pull = Callable[[str], object]
"""Function that returns when the image is present, or else raises SandboxError or OSError with the reason."""


class ImagePulls:
    """HTTP service on `gateway`:5001 inside the cluster's network, for the redirectors of the cluster's nodes."""

    def __init__(self, log: logging.Logger, pull: Pull | None = None) -> None:
        self._log = log
        self._reach = Reach()
        self._pull = pull or self._pull_on_host
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[str | None]] = {}
        self._server: ThreadingHTTPServer | None = None

    def start(self, netns: str, gateway: str) -> None:
        """Start to listen. Raises OSError if the address is not available."""
        address = (gateway, PULLS_PORT)
        server = ThreadingHTTPServer(address, _handler(self.problem), bind_and_activate=False)
        server.socket.close()
        server.socket = listen_inside(netns, address)
        threading.Thread(target=server.serve_forever, name="image pulls", daemon=True).start()
        self._server = server

    def stop(self) -> None:
        """Stop the service. Running pulls end with the process."""
        if self._server is not None:
            self._server.shutdown()
            self._server.socket.close()

    def problem(self, image: str) -> str | None:
        """Pull an image. Returns None when clusters can use it, or else the reason why they cannot.

        Concurrent requests for the same image wait for the same pull.
        """
        with self._lock:
            found = self._under_way.get(image)
            mine = found is None
            answer = self._under_way[image] = found or Future()
        if mine:
            try:
                answer.set_result(self._try(image))
            finally:
                with self._lock:
                    del self._under_way[image]
        return answer.result()

    def _try(self, image: str) -> str | None:
        try:
            self._pull(image)
        except (SandboxError, OSError) as error:
            problem = str(error)
        except Exception as error:  # waiting requests need a result
            self._log.exception("unforeseen, of image %s", image)
            problem = f"{type(error).__name__}: {error}"
        else:
            self._log.info("image %s is there now", image)
            return None
        self._log.warning("image %s: %s", image, problem)
        return problem

    def _pull_on_host(self, image: str) -> str:
        return pull_image(image, lambda line: self._log.info("%s", line), anew=False, reach=self._reach)


def _handler(problem: Callable[[str], str | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            images = parse_qs(parts.query).get("image", [])
            if parts.path != PULLS_PATH or len(images) != 1:
                self._answer(404, f"ask for {PULLS_PATH}?image=<reference>")
            elif reason := problem(images[0]):
                self._answer(502, reason)
            else:
                self._answer(200, "")

        def _answer(self, status: int, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the supervisor's log lists the pulled images."""

    return Handler
