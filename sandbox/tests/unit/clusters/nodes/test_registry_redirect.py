"""Redirects of containerd's image pulls."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from mlp_sandbox.clusters.nodes.real import registry_redirect
from mlp_sandbox.clusters.nodes.real.registry_redirect import lacks, problem, status_line, target


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("/v2/", "/v2/"),
        ("/v2/library/python/manifests/3.11?ns=docker.io", "/v2/docker.io/library/python/manifests/3.11"),
        ("/v2/pause/blobs/sha256:00ff?ns=registry.k8s.io", "/v2/registry.k8s.io/pause/blobs/sha256:00ff"),
        ("/v2/app/manifests/1?ns=localhost:5000", "/v2/localhost_5000/app/manifests/1"),
        ("/v2/app/tags/list?n=5&ns=ghcr.io", "/v2/ghcr.io/app/tags/list?n=5"),
        (
            "/v2/mlops/train/manifests/v1?ns=123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "/v2/123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops/train/manifests/v1",
        ),
    ],
)
def test_the_host_of_the_reference_becomes_the_first_part_of_the_repository(asked: str, there: str) -> None:
    assert target(asked) == there


@pytest.mark.parametrize(
    "asked",
    ["/v2/app/manifests/1", "/v2/app/manifests/1?ns=", "/v2/app/manifests/1?ns=../../etc", "/metrics?ns=ghcr.io", "/"],
)
def test_a_request_without_a_sound_host_goes_nowhere(asked: str) -> None:
    assert target(asked) is None


def test_a_registry_that_does_not_answer_is_not_said_to_lack_the_image() -> None:
    assert not lacks("127.0.0.1:1", "/v2/ghcr.io/app/manifests/1", "*/*")


def test_layers_are_not_asked_for_twice() -> None:
    assert not lacks("no such host", "/v2/ghcr.io/app/blobs/sha256:00", "*/*")


def ask(monkeypatch: pytest.MonkeyPatch, path: str, status: int, text: str = "") -> tuple[str | None, str]:
    """Return the node's result for an answer of the host, and the image that the node requested."""
    asked: list[str] = []

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.extend(parse_qs(urlsplit(self.path).query)["image"])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Host) as server:
        monkeypatch.setattr(registry_redirect, "PULLS_PORT", server.server_port)
        Thread(target=server.handle_request).start()
        answer = problem("127.0.0.1:5000", path)
    return answer, asked[0]


@pytest.mark.parametrize(
    ("path", "image"),
    [
        ("/v2/ghcr.io/team/app/manifests/1", "ghcr.io/team/app:1"),
        ("/v2/localhost_5000/app/manifests/1", "localhost:5000/app:1"),
        ("/v2/ghcr.io/app/manifests/sha256:00ff", "ghcr.io/app@sha256:00ff"),
    ],
)
def test_the_host_is_asked_for_the_image_by_its_reference(
    monkeypatch: pytest.MonkeyPatch, path: str, image: str
) -> None:
    assert ask(monkeypatch, path, 200) == (None, image)


def test_why_the_host_has_not_pulled_it_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, _ = ask(monkeypatch, "/v2/ghcr.io/app/manifests/1", 502, "ghcr.io cannot be reached: no route")
    assert answer == "not in the sandbox's image catalogue, nor to be pulled: ghcr.io cannot be reached: no route"


def test_a_supervisor_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_redirect, "PULLS_PORT", 1)
    answer = problem("127.0.0.1:5000", "/v2/ghcr.io/app/manifests/1")
    assert answer is not None
    assert "not in the sandbox's image catalogue; the cluster's supervisor, which pulls others, does not" in answer


def test_a_reason_of_several_lines_in_any_script_fits_a_status_line() -> None:
    assert status_line("no such image:\r\n  \N{SNOWMAN} caf\u00e9\n") == "no such image: ? caf\u00e9"
    assert len(status_line("x" * 5000)) == 1000
