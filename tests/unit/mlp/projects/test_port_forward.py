"""The local port: bytes pass unchanged both ways, connections are separate, early answers arrive, closing works."""

from __future__ import annotations

import hashlib
import inspect
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import kubernetes.stream.ws_client
import pytest

from mlp.console import PlainError
from mlp.projects.port_forward import PROXY, PortForward, without_broken_proxies

LARGE = os.urandom(1 << 20) * 8
Behaviour = Callable[[socket.socket], None]


class Pods:
    """Stub of the Kubernetes API: a socket pair for each connection, with a behaviour at the pod's end."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.opened = 0
        self.ended = 0

    def connect(self) -> tuple[Any, Callable[[], None]]:
        near, far = socket.socketpair()
        self.opened += 1

        def serve() -> None:
            with far, suppress(OSError):
                self._behaviour(far)

        def end() -> None:
            self.ended += 1
            near.close()

        threading.Thread(target=serve, daemon=True).start()
        return near, end


def echo(pod: socket.socket) -> None:
    while part := pod.recv(65536):
        pod.sendall(part)


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (part := client.recv(size - len(found))):
        found += part
    return found


@pytest.fixture
def echoing() -> Iterator[tuple[PortForward, Pods]]:
    pods = Pods(echo)
    with PortForward(pods.connect) as forward:
        yield forward, pods


def connected(forward: PortForward) -> closing[socket.socket]:
    return closing(socket.create_connection(("127.0.0.1", forward.port), timeout=20))


def test_large_bodies_go_both_ways_unharmed(echoing: tuple[PortForward, Pods]):
    forward, _ = echoing
    with connected(forward) as client:
        sending = threading.Thread(target=client.sendall, args=(LARGE,))
        sending.start()
        found = exactly(client, len(LARGE))
        sending.join()
    assert hashlib.sha256(found).digest() == hashlib.sha256(LARGE).digest()


def test_connections_are_apart_from_each_other(echoing: tuple[PortForward, Pods]):
    forward, pods = echoing
    with connected(forward) as first, connected(forward) as second:
        first.sendall(b"one")
        second.sendall(b"two")
        assert exactly(second, 3) == b"two"
        assert exactly(first, 3) == b"one"
    assert pods.opened == 2


def test_it_listens_on_this_machine_only(echoing: tuple[PortForward, Pods]):
    forward, _ = echoing
    assert forward.address == f"http://127.0.0.1:{forward.port}"
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", forward.port), timeout=5)


def test_an_answer_before_the_request_was_read_arrives_whole():
    """A server that rejects a large body behaves like this."""
    answer = b"HTTP/1.1 413 Payload Too Large\r\n\r\n" + b"x" * 1000

    def refuse(pod: socket.socket) -> None:
        pod.recv(10)
        pod.sendall(answer)

    with PortForward(Pods(refuse).connect) as forward, connected(forward) as client:
        with suppress(OSError):
            client.sendall(LARGE)
        assert read_all(client) == answer


def test_a_pod_that_cannot_be_had_is_told_and_the_next_connection_is_tried_again():
    pods = Pods(echo)
    errors: list[Exception] = [PlainError("no pod of mlflow is ready"), OSError("broken websocket")]

    def connect() -> tuple[Any, Callable[[], None]]:
        if errors:
            raise errors.pop(0)
        return pods.connect()

    with PortForward(connect) as forward:
        for said in ("no pod of mlflow is ready", "OSError: broken websocket"):
            with connected(forward) as client:
                assert read_all(client) == b""
            assert said in str(forward.problem)
        with connected(forward) as client:
            client.sendall(b"hello")
            assert exactly(client, 5) == b"hello"


def test_at_the_end_all_connections_and_threads_are_gone():
    before = set(threading.enumerate())
    pods = Pods(echo)
    with PortForward(pods.connect) as forward:
        client = socket.create_connection(("127.0.0.1", forward.port), timeout=20)
        client.sendall(b"hello")
        assert exactly(client, 5) == b"hello"
    assert client.recv(1) == b""
    client.close()
    assert (pods.opened, pods.ended) == (1, 1)
    assert [each for each in threading.enumerate() if each not in before and "port-forward" in each.name] == []
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", forward.port), timeout=5)


def test_a_client_that_leaves_ends_the_connection_to_the_pod():
    gone = threading.Event()

    def wait(pod: socket.socket) -> None:
        while pod.recv(10):
            pass
        gone.set()

    with PortForward(Pods(wait).connect) as forward:
        with connected(forward) as client:
            client.sendall(b"hello")
        assert gone.wait(10)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        (f"{PROXY}: 5000", ConnectionResetError(), False),
        (f"{PROXY}: 5000", RuntimeError("Unexpected websocket opcode"), True),
        ("another", ConnectionResetError(), True),
    ],
)
def test_only_a_proxy_whose_connection_broke_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, name: str, error: Exception, told: bool
):
    heard: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda problem: heard.append(problem.exc_value))
    for _ in range(2):
        without_broken_proxies()

    def break_down() -> None:
        raise error

    thread = threading.Thread(target=break_down, name=name)
    thread.start()
    thread.join()
    assert heard == ([error] if told else [])


def test_the_clients_threads_still_have_that_name():
    source = inspect.getsource(kubernetes.stream.ws_client.PortForward)
    assert f'name="{PROXY}: ' in source
