"""Requests to an API server that restarts, rejects a token, sends warnings, or is down."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.connection import Connection
from mlp_sandbox.providers.kubernetes.errors import ApiError, UnknownKindError, UnreachableError
from mlp_sandbox.providers.kubernetes.kinds import Kind
from mlp_sandbox.providers.kubernetes.kubeconfig import Target


class Server(ThreadingHTTPServer):
    """HTTP server that gives the listed answers in order, repeats the last one, and records its requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, str]] = []

    def target(self, user: dict[str, Any] | None = None) -> Target:
        return Target(f"http://127.0.0.1:{self.server_port}", "default", {}, user or {})


class _Handler(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        server: Any = self.server
        server.asked.append((self.command, self.path, self.headers.get("authorization", "")))
        code, body = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("content-length", str(len(content)))
        self.send_header("warning", '299 - "policy/v1beta1 is \\"deprecated\\""')
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Suppress the log."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def failure(code: int, message: str = "x") -> tuple[int, Any]:
    return code, {"kind": "Status", "message": message}


def test_a_trouble_that_passes_is_waited_out_and_told(server: Server) -> None:
    server.answers = [failure(503), failure(500, "etcdserver: leader changed"), (200, {"ok": True})]
    told: list[str] = []
    answer = Connection(server.target()).request("GET", "/version", waiting=told.append)
    assert answer.json() == {"ok": True}
    assert len(told) == 2
    assert "etcdserver: leader changed (trying again" in told[1]


def test_patience_ends(server: Server) -> None:
    server.answers = [failure(503, "apiserver is shutting down")]
    with pytest.raises(ApiError, match="shutting down"):
        Connection(server.target()).request("GET", "/version", patience=0.5)


def test_other_refusals_are_final(server: Server) -> None:
    server.answers = [failure(409)]
    with pytest.raises(ApiError):
        Connection(server.target()).request("GET", "/x")
    assert len(server.asked) == 1


def test_a_server_that_has_just_started_refuses_everybody_and_is_asked_again(server: Server) -> None:
    server.answers = [failure(503), failure(403), failure(401), (200, {"ok": True})]
    assert Connection(server.target()).request("GET", "/x").json() == {"ok": True}


def test_a_server_that_is_not_there_is_named() -> None:
    nobody = Target("http://127.0.0.1:9", "default", {}, {})
    with pytest.raises(UnreachableError, match=r"the API server http://127\.0\.0\.1:9 does not answer: .*refused"):
        Connection(nobody).request("GET", "/version", patience=0.3)


def test_warnings_of_the_server_are_passed_on(server: Server) -> None:
    server.answers = [(200, {})]
    assert Connection(server.target()).request("GET", "/x").warnings == ['policy/v1beta1 is "deprecated"']


def command(folder: Path, expires: str = "") -> dict[str, Any]:
    """Return a credentials command that issues `token-1`, `token-2`, ... by the number of its calls."""
    answer = (
        '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "token-%s"'
    )
    answer += f', "expirationTimestamp": "{expires}"' if expires else ""
    script = f"echo x >> {folder}/calls; printf '{answer}}}}}' $(wc -l < {folder}/calls)"
    args = ["-c", script]
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": args, "env": []}}


def test_a_token_that_is_refused_is_renewed_once(server: Server, tmp_path: Path) -> None:
    server.answers = [failure(401), (200, {})]
    connection = Connection(server.target(command(tmp_path)))
    connection.request("GET", "/x")
    connection.request("GET", "/y")
    assert [token for _, _, token in server.asked] == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


def test_a_second_refusal_is_final(server: Server, tmp_path: Path) -> None:
    server.answers = [failure(401)]
    with pytest.raises(ApiError):
        Connection(server.target(command(tmp_path))).request("GET", "/x")
    assert len(server.asked) == 2


def test_a_token_is_kept_until_shortly_before_it_expires(server: Server, tmp_path: Path) -> None:
    server.answers = [(200, {})]
    kept = Connection(server.target(command(tmp_path, "2999-01-01T00:00:00Z")))
    kept.request("GET", "/x")
    kept.request("GET", "/x")
    assert {token for _, _, token in server.asked} == {"Bearer token-1"}
    old = Connection(server.target(command(tmp_path, "2000-01-01T00:00:00Z")))
    old.request("GET", "/x")
    old.request("GET", "/x")
    assert server.asked[-1][2] == "Bearer token-3"


KINDS = {"resources": [{"kind": "Widget", "name": "widgets", "namespaced": True}, {"kind": "W", "name": "widgets/s"}]}
WIDGET = Kind("example.com", "v1", "Widget")


def test_kinds_are_asked_for_once_and_again_when_one_is_missing(server: Server) -> None:
    server.answers = [failure(404), (200, KINDS)]
    cluster = Cluster(server.target())
    with pytest.raises(UnknownKindError, match=r"no kind example\.com/v1 Widget: is its Custom"):
        cluster.served(WIDGET)
    assert cluster.path(WIDGET, "", "a") == "/apis/example.com/v1/namespaces/default/widgets/a"
    assert cluster.path(WIDGET, "apps") == "/apis/example.com/v1/namespaces/apps/widgets"
    assert len(server.asked) == 2


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "ask",
    [
        lambda cluster: cluster.get(WIDGET, "apps", "a", patience=0.3),
        lambda cluster: cluster.apply(WIDGET, {"metadata": {"name": "a"}}, "test", patience=0.3),
        lambda cluster: cluster.find(WIDGET, "apps"),
    ],
    ids=["get", "apply", "find"],
)
def test_the_patience_of_a_request_is_that_of_asking_for_its_kind_too(
    server: Server, ask: Callable[[Cluster], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlp_sandbox.providers.kubernetes.cluster.PROBE_PATIENCE", 0.3)
    server.answers = [failure(503)]
    with pytest.raises(ApiError):
        ask(Cluster(server.target()))
    assert {path for _, path, _ in server.asked} == {"/apis/example.com/v1"}


def test_objects_are_applied_with_strict_validation_under_the_managers_name(server: Server) -> None:
    server.answers = [(200, KINDS), (200, {})]
    Cluster(server.target()).apply(WIDGET, {"metadata": {"name": "a", "namespace": "n"}}, "me", dry_run=True)
    method, path, _ = server.asked[-1]
    assert (method, path.split("?")[0]) == ("PATCH", "/apis/example.com/v1/namespaces/n/widgets/a")
    for part in ("fieldManager=me", "fieldValidation=Strict", "force=false", "dryRun=All"):
        assert part in path


def test_whether_there_is_a_cluster_is_asked_once_in_a_while(server: Server) -> None:
    server.answers = [failure(401)]
    cluster = Cluster(server.target())
    assert cluster.trouble()
    assert cluster.trouble()
    assert len(server.asked) == 1


def test_deleting_what_is_gone_is_done(server: Server) -> None:
    server.answers = [(200, KINDS), failure(404)]
    Cluster(server.target()).delete(WIDGET, "n", "a", "Foreground")
