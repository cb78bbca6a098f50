"""The program's network policies in effect: traffic that no policy names is blocked."""

from __future__ import annotations

import json
from contextlib import ExitStack

from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.manifests import job

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


def test_pods_reach_what_a_policy_names_and_all_where_there_is_none(deployed: Deployed) -> None:
    autoscaler = {"app.kubernetes.io/name": "cluster-autoscaler"}
    set_up = {"app.kubernetes.io/name": "mlflow-set-up", "app.kubernetes.io/part-of": "mlflow"}
    with ExitStack() as stack:
        without = stack.enter_context(deployed.namespace())
        cases: list[tuple[str, dict[str, str], set[str]]] = [
            ("ml-platform", {}, {"names"}),
            ("ml-platform", set_up, {"names", "AWS"}),
            ("cluster-services", {}, {"names"}),
            ("cluster-services", autoscaler, {"names", "Kubernetes", "AWS"}),
            (without, {}, {"names", "Kubernetes", "AWS"}),
        ]
        for number, (namespace, labels, _) in enumerate(cases):
            manifest = job(f"look-around-{number}", namespace, LOOK_AROUND)
            manifest["spec"]["template"]["metadata"] = {"labels": labels}
            stack.enter_context(deployed.created(f"/apis/batch/v1/namespaces/{namespace}/jobs", manifest))
        for number, (namespace, labels, reached) in enumerate(cases):
            log = deployed.log_of_job(namespace, f"look-around-{number}")
            said: dict[str, bool] = json.loads(log.rpartition("said: ")[2])
            assert {what for what, got in said.items() if got} == reached, f"{namespace} {labels}"
