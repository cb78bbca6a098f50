"""Slow, idle and dead clients over real sockets: their connections end, and no other client waits for them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pandas as pd
import pytest
import uvicorn

from ml_workloads.runtime.serving import bodies
from ml_workloads.runtime.serving.application import Metrics, application
from ml_workloads.runtime.serving.connections import MOST_CONNECTIONS, protocol
from ml_workloads.runtime.serving.models import Follower
from tests.unit.ml_workloads.runtime.serving.registries import Shelf, servable

ROW = {"age": 30, "spent in total": 1.5}
BODY = json.dumps({"instances": [ROW]}).encode()
PATIENCE = 60.0


def head(length: int, path: str = "/predict", method: str = "POST") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: server\r\ncontent-length: {length}\r\n\r\n".encode()


class Server:
    """uvicorn in a thread, configured as in the server's own process."""

    def __init__(self, *, seconds: float, most: int = MOST_CONNECTIONS, predict: Any = None, slots: int = 4) -> None:
        self.metrics, self.follower = Metrics(), Follower(Shelf(servable("1", predict=predict)))
        self.follower.step()
        app = application(self.follower, self.metrics, max_concurrency=slots, body_seconds=seconds)
        config = uvicorn.Config(app, port=0, http=protocol(seconds, most), access_log=False, log_level="warning")
        self.uvicorn = uvicorn.Server(config)
        self.socket = config.bind_socket()
        self.port: int = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.uvicorn.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Server:
        self.thread.start()
        until(lambda: self.uvicorn.started)
        return self

    def __exit__(self, *_: object) -> None:
        self.uvicorn.force_exit = self.uvicorn.should_exit = True
        self.thread.join(PATIENCE)
        self.socket.close()

    @property
    def connections(self) -> int:
        return len(self.uvicorn.server_state.connections)

    def connect(self, stack: ExitStack, sent: bytes = b"") -> socket.socket:
        made = stack.enter_context(closing(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)))
        made.sendall(sent)
        return made

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE)

    def predict(self) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}/predict", content=BODY, timeout=PATIENCE)

    def counted(self, code: int) -> float:
        found = self.metrics.registry.get_sample_value("predict_requests_total", {"code": str(code)})
        return found or 0.0

    def in_flight(self) -> float | None:
        return self.metrics.registry.get_sample_value("predict_in_flight")


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, "it never came to pass"
        time.sleep(0.02)


def answer(client: socket.socket) -> bytes:
    """Return everything that the server sends until it closes the connection."""
    found = b""
    try:
        while part := client.recv(65536):
            found += part
    except ConnectionError:
        pass
    return found


def status(client: socket.socket) -> int:
    """Read one whole answer; returns its status."""
    found = http.client.HTTPResponse(client)
    found.begin()
    found.read()
    return found.status


def drip(clients: Sequence[socket.socket], ended: threading.Event) -> None:
    while not ended.wait(0.1):
        for client in clients:
            try:
                client.sendall(b" ")
            except OSError:
                continue


@pytest.mark.parametrize("times", [2, 20], ids=["2 MB", "20 MB"])
def test_a_client_that_sends_all_of_a_body_that_is_too_large_reads_413_and_goes_on(times: int):
    """A server that closes while a body is still arriving resets the connection, and the answer is lost."""
    part = b" " * 1_000_000
    with Server(seconds=PATIENCE) as server, ExitStack() as stack:
        for _ in range(5):
            client = server.connect(stack, head(times * len(part)))
            assert client.recv(1, socket.MSG_PEEK), "the answer is there before the body"
            for _ in range(times):
                client.sendall(part)
            assert status(client) == 413
            client.sendall(head(len(BODY)) + BODY)
            assert status(client) == 200
    assert server.counted(413) == 5


def test_a_body_that_is_too_large_and_never_ends_is_cut_off():
    with Server(seconds=2) as server, ExitStack() as stack:
        client = server.connect(stack, head(10**12))
        assert status(client) == 413
        ended = threading.Event()
        sender = threading.Thread(target=drip, args=([client], ended), daemon=True)
        sender.start()
        until(lambda: server.connections == 0)
        ended.set()
        sender.join()


@pytest.mark.parametrize("dripping", [False, True], ids=["one byte", "a byte now and then"])
def test_clients_that_never_finish_their_body_get_408_and_keep_nobody_from_an_answer(dripping: bool):
    ended = threading.Event()
    with Server(seconds=5) as server, ExitStack() as stack:
        clients = [server.connect(stack, head(len(BODY)) + b"{") for _ in range(64)]
        until(lambda: server.connections >= 64)
        if dripping:
            threading.Thread(target=drip, args=(clients, ended), daemon=True).start()
        stack.callback(ended.set)
        assert server.predict().status_code == 200
        assert server.get("/readyz").status_code == 200
        for client in clients:
            said = answer(client)
            assert said.startswith(b"HTTP/1.1 408 ")
            assert b"not complete within 5 s" in said
        until(lambda: server.counted(408) == 64)
        until(lambda: server.connections == 0)
        assert server.counted(503) == 0
        assert server.in_flight() == 0
        assert server.predict().status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", b""),
        (b"POST /predict HTT", b"HTTP/1.1 408 "),
        (b"POST /predict HTTP/1.1\r\nhost: server\r\nx-a: 1\r\n", b"HTTP/1.1 408 "),
        (head(5, "/healthz", "GET") + b"1", b"HTTP/1.1 200 "),
        (head(0, "/healthz", "GET") + b"GET /readyz HT", b"HTTP/1.1 200 "),
    ],
    ids=["nothing", "half a line", "half the headers", "half a body that nobody reads", "half a second request"],
)
def test_a_connection_whose_request_never_comes_is_closed(sent: bytes, said: bytes):
    with Server(seconds=0.5) as server, ExitStack() as stack:
        assert answer(server.connect(stack, sent)).startswith(said)
        until(lambda: server.connections == 0)


def test_a_byte_now_and_then_does_not_keep_a_connection_without_headers():
    ended = threading.Event()
    with Server(seconds=1) as server, ExitStack() as stack:
        client = server.connect(stack, b"GET /healthz HTTP/1.1\r\nx-a: ")
        threading.Thread(target=drip, args=([client], ended), daemon=True).start()
        stack.callback(ended.set)
        until(lambda: server.connections == 1)
        until(lambda: server.connections == 0)


def test_a_connection_that_is_used_again_in_time_is_kept():
    with Server(seconds=30) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        for _ in range(3):
            assert client.post("/predict", content=BODY, timeout=PATIENCE).status_code == 200
        assert server.connections == 1


def test_two_hundred_idle_clients_and_more_keep_nobody_from_an_answer():
    with Server(seconds=60, most=50) as server, ExitStack() as stack:
        clients = [server.connect(stack) for _ in range(200)]
        assert server.predict().status_code == 200
        assert server.get("/readyz").status_code == 200
        until(lambda: server.connections <= 50)
        assert answer(clients[0]) == b""


@pytest.mark.parametrize("limit", ["number", "memory"])
def test_bodies_that_are_too_many_or_too_large_together_make_room_for_others(
    monkeypatch: pytest.MonkeyPatch, limit: str
):
    monkeypatch.setattr(bodies, "MOST_READERS" if limit == "number" else "MOST_BODIES", 8)
    sent = b"{" if limit == "number" else b" " * 1_000_000
    with Server(seconds=60) as server, ExitStack() as stack:
        clients = [server.connect(stack, head(1_048_000) + sent) for _ in range(20)]
        until(lambda: server.counted(408) >= 11)
        assert server.predict().status_code == 200
        assert answer(clients[0]).startswith(b"HTTP/1.1 408 ")
        assert server.counted(503) == 0


class Gate:
    """A model that answers only when the test releases it."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Semaphore(0), threading.Event()

    def __call__(self, table: pd.DataFrame) -> Sequence[Any]:
        self.entered.release()
        assert self.go_on.wait(PATIENCE)
        return table["age"].tolist()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.go_on.set()


def test_a_client_that_leaves_while_its_rows_are_predicted_frees_its_slot_when_they_are(gate: Gate):
    with Server(seconds=30, predict=gate, slots=1) as server, ExitStack() as stack:
        client = server.connect(stack, head(len(BODY)) + BODY)
        assert gate.entered.acquire(timeout=PATIENCE)
        client.close()
        assert server.predict().status_code == 503
        assert server.in_flight() == 1
        gate.go_on.set()
        until(lambda: server.in_flight() == 0)
        assert server.predict().status_code == 200


def test_a_client_that_does_not_take_its_answer_is_left():
    def talkative(_table: pd.DataFrame) -> Sequence[Any]:
        return ["x" * 20_000_000]

    with Server(seconds=1, predict=talkative) as server, ExitStack() as stack:
        server.connect(stack, head(len(BODY)) + BODY)
        until(lambda: server.counted(200) == 1)
        until(lambda: server.connections == 0)
        assert server.get("/readyz").status_code == 200
