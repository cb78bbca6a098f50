"""The reachability check of a registry answers within seconds and caches a failure for a minute."""

import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from mlp_sandbox.clusters.images.upstream import REMEMBERED_SECONDS, Reach, UnreachableError, is_plain, probe


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3"])
def test_registries_of_this_machine_may_have_no_tls(host: str) -> None:
    assert is_plain(host)


@pytest.mark.parametrize("host", ["docker.io", "10.0.0.1:5000", "localhost.example.com", "ghcr.io:443"])
def test_all_others_must_have_it(host: str) -> None:
    assert not is_plain(host)


def test_an_answer_is_an_answer_whatever_it_says() -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(401)

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.handle_request).start()
        assert probe(f"127.0.0.1:{server.server_port}") is None


def test_a_closed_port_is_told_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert "Connection refused" in (probe(f"127.0.0.1:{unused.getsockname()[1]}") or "")


def test_silence_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        problem = probe(f"127.0.0.1:{silent.getsockname()[1]}", 0.3)
        assert time.monotonic() - begun < 3
    assert problem is not None
    assert "timed out" in problem or "has not answered" in problem


def test_what_cannot_be_reached_is_not_asked_again_for_a_minute() -> None:
    asked: list[str] = []
    now = [1000.0]

    def down(host: str) -> str:
        asked.append(host)
        return "no route"

    reach = Reach(down, lambda: now[0])
    for _ in range(3):
        with pytest.raises(UnreachableError, match=r"ghcr\.io cannot be reached from this machine: no route"):
            reach.check("ghcr.io")
    assert asked == ["ghcr.io"]
    now[0] += REMEMBERED_SECONDS
    with pytest.raises(UnreachableError):
        reach.check("ghcr.io")
    with pytest.raises(UnreachableError):
        reach.check("quay.io")
    assert asked == ["ghcr.io", "ghcr.io", "quay.io"]


def test_one_that_is_back_is_forgotten() -> None:
    answers: list[str | None] = ["no route", None, None]
    now = [0.0]
    reach = Reach(lambda _host: answers.pop(0), lambda: now[0])
    with pytest.raises(UnreachableError):
        reach.check("ghcr.io")
    now[0] += REMEMBERED_SECONDS
    reach.check("ghcr.io")
    reach.check("ghcr.io")
    assert answers == []
