"""Local port that forwards to pods, like `kubectl port-forward`, but switches to another pod if one disappears.

Each connection to the port becomes a separate connection through the Kubernetes API.
https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from mlp.console import PlainError

PROXY: Final = "Kubernetes port forward proxy"
"""Name of the Kubernetes client's threads, one for each connection."""
_PART: Final = 64 * 1024
_DRAIN_SECONDS: Final = 2.0


class PortForward:
    """Local port that forwards connections.

    `connect` opens one connection to a pod and returns a socket and a function that closes the connection. `problem` is
    the error of the last connection that failed; its client sees the connection end without an answer.
    """

    def __init__(self, connect: Callable[[], tuple[Any, Callable[[], None]]], local_port: int = 0) -> None:
        self._connect = connect
        self._listener = socket.create_server(("127.0.0.1", local_port))
        self._lock = threading.Lock()
        self._open: set[Any] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self.problem: PlainError | None = None

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> PortForward:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections and wait for the threads that served them."""
        self._closed = True
        # Closing alone does not interrupt a thread in accept.
        _end(self._listener)
        with self._lock:
            still_open = list(self._open)
        for each in still_open:
            _end(each)
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, target: Callable[..., None], *arguments: Any) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name=f"port-forward {self.port}")
        self._threads = [each for each in self._threads if each.is_alive()]
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while not self._closed:
            try:
                local, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, local)

    def _serve(self, local: socket.socket) -> None:
        try:
            remote, end = self._connect()
        except PlainError as error:
            self.problem = error
            _end(local)
            return
        except Exception as error:
            self.problem = PlainError(f"no connection to the pod: {type(error).__name__}: {error}")
            _end(local)
            return
        with self._lock:
            self._open |= {local, remote}
        try:
            # A connection that was accepted during closing is not in the set of closed connections.
            if not self._closed:
                back = threading.Thread(target=_back, args=(remote, local), daemon=True)
                back.start()
                _forth(local, remote)
                back.join()
        finally:
            with self._lock:
                self._open -= {local, remote}
            _end(local)
            end()


def without_broken_proxies() -> None:
    """Suppress tracebacks of the Kubernetes client's proxy threads from now on.

    If a connection ends while its thread still has data to forward, the thread ends with an OSError. The user already
    has the answer then.
    """
    if getattr(threading.excepthook, "quiet", False):
        return
    before = threading.excepthook

    def tell(problem: threading.ExceptHookArgs) -> None:
        proxy = problem.thread is not None and problem.thread.name.startswith(PROXY)
        if not (proxy and isinstance(problem.exc_value, OSError)):
            before(problem)

    tell.quiet = True  # pyright: ignore[reportFunctionMemberAccess]
    threading.excepthook = tell


def _forth(local: socket.socket, remote: Any) -> None:
    """Forward data of the client. Connections of the API cannot be half-closed, so its end closes both directions."""
    try:
        while part := local.recv(_PART):
            remote.sendall(part)
    except OSError:
        _drain(local)
    finally:
        _end(remote)


def _back(remote: Any, local: socket.socket) -> None:
    """Forward data of the pod. A client that is still sending must be able to read an early answer, such as 413."""
    try:
        while part := remote.recv(_PART):
            local.sendall(part)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            local.shutdown(socket.SHUT_WR)
        _end(remote)


def _drain(local: socket.socket) -> None:
    """Read the remaining data: closing with unread data would discard data that the client has not read yet."""
    with suppress(OSError):
        local.settimeout(_DRAIN_SECONDS)
        while local.recv(_PART):
            pass


def _end(connection: Any) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
