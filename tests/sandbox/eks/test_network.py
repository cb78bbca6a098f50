"""The program's network policies at work: what none of them names does not get through."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.eks.deployed import Deployed
from tests.sandbox.eks.manifests import job

LOOK_AROUND = """
import json, os, socket, time, urllib.parse
aws = urllib.parse.urlsplit(os.environ['AWS_ENDPOINT_URL'])
def tried(call):
    try:
        call()
        return True
    except OSError:
        return False
def reaches(host, port):
    return tried(lambda: socket.create_connection((host, port), 3).close())
# Rules of a pod that has just started may come a moment after it.
time.sleep(3)
print('said:', json.dumps({
    'names': tried(lambda: socket.getaddrinfo('kubernetes.default.svc.cluster.local', 443)),
    'Kubernetes': reaches('kubernetes.default.svc.cluster.local', 443),
    'AWS': reaches(aws.hostname, aws.port),
}))
"""


def seen_from(deployed: Deployed, namespace: str, labels: dict[str, str]) -> dict[str, bool]:
    manifest = job("look-around", namespace, LOOK_AROUND)
    manifest["spec"]["template"]["metadata"] = {"labels": labels}
    with deployed.created(f"/apis/batch/v1/namespaces/{namespace}/jobs", manifest) as name:
        return json.loads(deployed.log_of_job(namespace, name).rpartition("said: ")[2])


@pytest.mark.parametrize(
    ("namespace", "labels", "reached"),
    [
        ("ml-platform", {}, {"names"}),
        ("cluster-services", {}, {"names"}),
        ("cluster-services", {"app.kubernetes.io/name": "cluster-autoscaler"}, {"names", "Kubernetes", "AWS"}),
        ("default", {}, {"names", "Kubernetes", "AWS"}),
    ],
)
def test_pods_reach_what_a_policy_names_and_all_where_there_is_none(
    deployed: Deployed, namespace: str, labels: dict[str, str], reached: set[str]
) -> None:
    assert {what for what, got in seen_from(deployed, namespace, labels).items() if got} == reached
