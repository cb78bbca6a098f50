"""The server stops when it is idle, whatever its clients do with their connections."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from mlp_sandbox.emulator.messages import Reply, Request
from mlp_sandbox.emulator.server import HOST, PortTakenError, Server

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
OK = Reply(status=200, headers=(), body=b"done")


def _seconds_to_stop(server: Server, thread: threading.Thread) -> float:
    started = time.monotonic()
    server.stop("test")
    thread.join(timeout=20)
    assert not thread.is_alive()
    return time.monotonic() - started


def _running(handler: Callable[[Request], Reply]) -> tuple[Server, threading.Thread]:
    server = Server(0, handler)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    return server, thread


def _read(connection: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_client_that_resets_its_connection_after_the_reply_does_not_hold_up_the_end():
    server, thread = _running(lambda _request: OK)
    for _ in range(10):
        client = socket.create_connection((HOST, server.port))
        client.sendall(REQUEST)
        while b"done" not in client.recv(65536):
            pass
        _reset(client)
    assert _seconds_to_stop(server, thread) < 3


def test_a_client_that_resets_its_connection_before_the_reply_does_not_hold_up_the_end():
    asked, gone = threading.Event(), threading.Event()

    def answer(_request: Request) -> Reply:
        asked.set()
        gone.wait(5)
        return Reply(status=200, headers=(), body=b"x" * 10_000_000)

    server, thread = _running(answer)
    client = socket.create_connection((HOST, server.port))
    client.sendall(REQUEST)
    assert asked.wait(5)
    _reset(client)
    gone.set()
    assert _seconds_to_stop(server, thread) < 3


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHo",
        b"PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nhalf",
        REQUEST,
        REQUEST + b"more",
    ],
)
def test_a_client_that_keeps_its_connection_does_not_hold_up_the_end(sent: bytes):
    server, thread = _running(lambda _request: OK)
    with socket.create_connection((HOST, server.port)) as client:
        client.sendall(sent)
        time.sleep(0.2)
        assert _seconds_to_stop(server, thread) < 3


def test_a_request_that_runs_is_answered_before_the_end():
    asked, go_on = threading.Event(), threading.Event()

    def answer(_request: Request) -> Reply:
        asked.set()
        go_on.wait(5)
        return OK

    server, thread = _running(answer)
    with socket.create_connection((HOST, server.port)) as client:
        client.sendall(REQUEST)
        assert asked.wait(5)
        server.stop("test")
        time.sleep(0.3)
        assert thread.is_alive()
        go_on.set()
        assert _read(client).endswith(b"\r\n\r\ndone")
    thread.join(timeout=3)
    assert not thread.is_alive()


def test_a_handler_that_fails_does_not_hold_up_the_end():
    def fail(_request: Request) -> Reply:
        raise RuntimeError("broken")

    server, thread = _running(fail)
    with socket.create_connection((HOST, server.port)) as client:
        client.sendall(REQUEST)
        assert b" 500 " in _read(client).split(b"\r\n")[0]
    assert _seconds_to_stop(server, thread) < 3


def test_a_taken_port_is_named():
    with socket.create_server((HOST, 0)) as taken, pytest.raises(PortTakenError, match=str(taken.getsockname()[1])):
        Server(taken.getsockname()[1], lambda _request: OK)
