"""A port on this machine that leads to pods, as `kubectl port-forward` makes it, but to another pod when one goes.

Each connection to it becomes one of its own through the Kubernetes API.
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
"""What the Kubernetes client calls its threads; it has one for each connection."""
_PART: Final = 64 * 1024
_DRAIN_SECONDS: Final = 2.0


class PortForward:
    """`connect` opens one connection to a pod and hands out its two ends of life: a socket, and what ends it.

    `problem` is why the last one could not be opened; whoever is connected then sees an end without an answer.
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
        """Ends all connections and waits for what served them."""
        self._closed = True
        # Closing alone does not wake whoever waits in accept.
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
            # Whoever left meanwhile is not in the set that was ended.
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
    """A connection that ends while its thread still has something to hand on ends the thread, too. From now on, without
    a traceback on the screen of somebody who has had the answer."""
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
    """What the client sends. The API's connections cannot be half closed: its end is the end of both directions."""
    try:
        while part := local.recv(_PART):
            remote.sendall(part)
    except OSError:
        _drain(local)
    finally:
        _end(remote)


def _back(remote: Any, local: socket.socket) -> None:
    """What the pod answers. A client that still sends must be able to read an answer that came early, such as 413."""
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
    """Closing on what was not read would take away what the client has not read either."""
    with suppress(OSError):
        local.settimeout(_DRAIN_SECONDS)
        while local.recv(_PART):
            pass


def _end(connection: Any) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
