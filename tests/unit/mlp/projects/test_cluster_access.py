"""The Kubernetes API in plain documents: the caller, complete transfers, and rejections that name the role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlp.console import PlainError
from mlp.projects import cluster_access
from mlp.projects.aws_access import ClusterAddress
from mlp.projects.cluster_access import ApiError, Cluster
from mlp.projects.pods import choose, is_ready, state
from tests.unit.mlp.projects.api_servers import ApiServer, serving

PODS = "/api/v1/namespaces/growth-churn/pods"


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
def cluster(server: ApiServer) -> Iterator[Cluster]:
    with serving(server) as found:
        yield found


def test_documents_go_both_ways_with_fields_that_no_client_knows(server: ApiServer, cluster: Cluster):
    document = {"kind": "Job", "spec": {"aFieldOfTheFuture": [1, None, "ü"]}}
    server.answers["/apis/batch/v1/namespaces/n/jobs"] = (201, document)
    assert cluster.create("/apis/batch/v1/namespaces/n/jobs", document) == document
    (asked,) = server.asked
    assert (asked.method, asked.body) == ("POST", document)


def test_every_request_says_who_calls_with_a_token_that_is_renewed_in_time(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    clock = [1000.0]
    monkeypatch.setattr(cluster_access.time, "monotonic", lambda: clock[0])
    for seconds in (0, 60, 500, 900):
        clock[0] = 1000.0 + seconds
        assert cluster.find("/api/v1/namespaces/n") is None
    assert [each.token for each in server.asked] == [f"Bearer k8s-aws-v1.{n}" for n in (1, 1, 1, 2)]


def test_pods_are_asked_for_by_the_label_that_they_have(server: ApiServer, cluster: Cluster):
    server.answers[PODS] = (200, {"items": [{"metadata": {"name": "a"}}]})
    assert [pod["metadata"]["name"] for pod in cluster.pods("growth-churn", "serving")] == ["a"]
    assert server.asked[0].path == f"{PODS}?labelSelector=app.kubernetes.io%2Fname%3Dserving"


def test_a_log_comes_in_lines(server: ApiServer, cluster: Cluster):
    server.answers[f"{PODS}/a/log"] = (200, "one\n\ntwo ü\nthree")
    assert list(cluster.lines(f"{PODS}/a/log", follow="true")) == ["one", "", "two ü", "three"]


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (
            401,
            "Unauthorized",
            "does not let jo in: it has no access entry; assume the role ml-platform",
        ),
        (
            403,
            'pods is forbidden: User "jo" cannot list resource',
            'jo may not do this on ml-platform-dev-eks: pods is forbidden: User "jo" cannot list resource; assume',
        ),
        (403, 'jobs "x" is forbidden: exceeded quota: project', '^jobs "x" is forbidden: exceeded quota: project$'),
        (409, "the object has been modified", "^the object has been modified$"),
    ],
)
def test_refusals_are_told_with_the_role_to_use(
    server: ApiServer, cluster: Cluster, status: int, message: str, said: str
):
    server.answers[PODS] = (status, {"kind": "Status", "message": message})
    with pytest.raises(ApiError, match=said) as refused:
        cluster.get(PODS)
    assert refused.value.status == status


def test_an_answer_that_is_no_document_is_told_as_it_is(server: ApiServer, cluster: Cluster):
    server.answers[PODS] = (502, "<html>bad\ngateway</html>")
    with pytest.raises(ApiError, match="<html>bad gateway</html>"):
        cluster.get(PODS)


def test_a_cluster_that_does_not_answer_is_named():
    address = ClusterAddress(name="ml-platform-dev-eks", endpoint="https://127.0.0.1:1", authority=b"")
    with Cluster(address, lambda: "token", who="jo", role="admin") as cluster:
        cluster.configuration.retries = False
        with pytest.raises(PlainError, match=r"does not answer at https://127\.0\.0\.1:1: .*api_cidrs"):
            cluster.get(PODS)


def test_nothing_is_left_of_it():
    address = ClusterAddress(name="c", endpoint="https://127.0.0.1:1", authority=b"PEM")
    with Cluster(address, lambda: "token", who="jo", role="admin") as cluster:
        authority = Path(cluster.configuration.ssl_ca_cert)
        assert authority.read_bytes() == b"PEM"
    assert not authority.parent.exists()


def pod(name: str, *, ready: bool = True, leaves: bool = False, phase: str = "Running", **container: Any) -> Any:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {"name": name, **({"deletionTimestamp": "now"} if leaves else {})},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [{"state": container}]},
    }


def test_only_pods_that_are_ready_and_stay_are_chosen():
    pods = [pod("a", ready=False), pod("b", leaves=True), pod("c")]
    assert [is_ready(each) for each in pods] == [False, False, True]
    assert {choose(pods, "n", "mlflow", "`pulumi up`") for _ in range(20)} == {"c"}
    assert choose(pods[:1], "n", "mlflow", "`pulumi up`", unready=True) == "a"


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([], "there are no pods of mlflow in n; is it deployed? `pulumi up`"),
        ([pod("a", ready=False)], r"no pod of mlflow in n is ready: a \(not ready\)"),
        ([pod("a", leaves=True)], r"a \(Terminating\)"),
        ([pod("a", ready=False, phase="Pending", waiting={"reason": "ImagePullBackOff"})], r"a \(ImagePullBackOff\)"),
    ],
)
def test_where_none_is_ready_it_says_how_they_are(pods: list[Any], said: str):
    with pytest.raises(PlainError, match=said.replace("?", r"\?")):
        choose(pods, "n", "mlflow", "`pulumi up`")


def test_a_pod_that_nothing_is_known_of_is_said_to_be_so():
    assert state({"metadata": {"name": "a"}}) == "Unknown"
    assert state({"metadata": {"name": "a"}, "status": {"phase": "Failed", "reason": "Evicted"}}) == "Evicted"
