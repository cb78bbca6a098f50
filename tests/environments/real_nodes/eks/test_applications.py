"""Typical workloads of teams: a web service with settings, scheduled jobs, autoscaled pods, data on volumes.

One program deploys all of it with the same engine and provider as the environment. The tests then query the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox.testing.box import eventually
from sandbox.tests.live.providers.clusters import ClusterProgram
from tests.environments.real_nodes.deployed import Deployed, cluster_program
from tests.environments.real_nodes.eks.manifests import PYTHON

SOURCE = f"""
IMAGE = {PYTHON!r}
WEB = '''
import http.server, os, pathlib, time
started = time.monotonic()
class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = time.monotonic() - started > 3
        self.send_response(200 if self.path == "/" or ready else 503)
        self.end_headers()
        told = pathlib.Path("/settings/greeting").read_text() + " " + os.environ["NAME"] + " " + os.environ["PASSWORD"]
        self.wfile.write(told.encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", 8080), Web).serve_forever()
'''
CLIENT = '''
import socket, urllib.request
print(urllib.request.urlopen("http://web/").read().decode())
print(socket.gethostbyname("web.%s.svc.cluster.local"))
''' % NAMESPACE

def container(script, **more):
    return {{"command": ["python3", "-u", "-c", script],
             "resources": {{"requests": {{"cpu": "20m", "memory": "32Mi"}}, "limits": {{"memory": "128Mi"}}}}, **more}}

def named(name):
    return {{"namespace": NAMESPACE, "name": name}}

settings = k8s.core.v1.ConfigMap("settings", metadata=named("settings"), data={{"greeting": "hello"}}, opts=options())
secret = k8s.core.v1.Secret("secret", metadata=named("secret"), string_data={{"password": "planted"}}, opts=options())
web = container(WEB,
    env=[{{"name": "NAME", "valueFrom": {{"fieldRef": {{"fieldPath": "metadata.namespace"}}}}}},
         {{"name": "PASSWORD", "valueFrom": {{"secretKeyRef": {{"name": "secret", "key": "password"}}}}}}],
    volumeMounts=[{{"name": "settings", "mountPath": "/settings"}}],
    readinessProbe={{"httpGet": {{"path": "/ready", "port": 8080}}, "periodSeconds": 1}},
    livenessProbe={{"httpGet": {{"path": "/", "port": 8080}}, "timeoutSeconds": 5}})
k8s.apps.v1.Deployment("web", metadata=named("web"), spec={{
    "replicas": 2, "selector": {{"match_labels": {{"app": "web"}}}},
    "template": labelled("web", image=IMAGE, container=web, terminationGracePeriodSeconds=1, volumes=[
        {{"name": "settings", "configMap": {{"name": "settings"}}}}])}},
    opts=options(depends_on=[settings, secret]))
service = k8s.core.v1.Service("web-service", metadata=named("web"), spec={{
    "selector": {{"app": "web"}}, "ports": [{{"port": 80, "target_port": 8080}}]}}, opts=options())
k8s.batch.v1.Job("client", metadata=named("client"), spec={{"backoff_limit": 3, "template": labelled(
    "client", image=IMAGE, restartPolicy="Never", container=container(CLIENT))}}, opts=options(depends_on=[service]))

k8s.batch.v1.CronJob("clock", metadata=named("clock"), spec={{"schedule": "* * * * *", "job_template": {{"spec": {{
    "template": labelled("clock", image=IMAGE, restartPolicy="Never", container=container("print('tick')"))}}}}}},
    opts=options())

burning = container("while True: pass")
burning["resources"]["requests"]["cpu"], burning["resources"]["limits"]["cpu"] = "50m", "200m"
busy = k8s.apps.v1.Deployment("busy", metadata=named("busy"), spec={{
    "selector": {{"match_labels": {{"app": "busy"}}}}, "template": labelled(
        "busy", image=IMAGE, container=burning, terminationGracePeriodSeconds=1)}},
    opts=options(ignore_changes=["spec.replicas"]))
k8s.autoscaling.v2.HorizontalPodAutoscaler("busy-scaler", metadata=named("busy"), spec={{
    "scale_target_ref": {{"api_version": "apps/v1", "kind": "Deployment", "name": "busy"}},
    "min_replicas": 1, "max_replicas": 3, "metrics": [{{"type": "Resource", "resource": {{
        "name": "cpu", "target": {{"type": "Utilization", "average_utilization": 60}}}}}}]}},
    opts=options(depends_on=[busy]))

claim = k8s.core.v1.PersistentVolumeClaim("data", metadata=named("data"), spec={{
    "access_modes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "1Gi"}}}}}}, opts=options())
writer = {{"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000, "seccompProfile": {{"type": "RuntimeDefault"}}}}
k8s.batch.v1.Job("writer", metadata=named("writer"), spec={{"backoff_limit": 0, "template": labelled(
    "writer", image=IMAGE, restartPolicy="Never", securityContext=writer,
    container=container("open('/data/x', 'w').write('kept'); print(open('/data/x').read())",
                        volumeMounts=[{{"name": "data", "mountPath": "/data"}}]),
    volumes=[{{"name": "data", "persistentVolumeClaim": {{"claimName": "data"}}}}])}}, opts=options())
"""


@pytest.fixture(scope="module")
def applications(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProgram]:
    with cluster_program(deployed, tmp_path_factory.mktemp("applications") / "program") as program:
        program.write(SOURCE)
        program.up()
        yield program


def test_a_service_is_found_by_name_and_answers_with_its_settings_and_its_secret(
    deployed: Deployed, applications: ClusterProgram
) -> None:
    namespace = applications.namespace
    answer, address = deployed.log_of_job(namespace, "client").splitlines()
    assert answer == f"hello {namespace} planted"
    service = deployed.api.get(f"/api/v1/namespaces/{namespace}/services/web")
    assert address == service["spec"]["clusterIP"]


def test_pods_get_traffic_once_their_probe_succeeds(deployed: Deployed, applications: ClusterProgram) -> None:
    pods = deployed.pods(applications.namespace, "app=web")
    assert len(pods) == 2
    for pod in pods:
        (container,) = pod["status"]["containerStatuses"]
        assert (container["ready"], container["restartCount"]) == (True, 0)
    slices = deployed.list(
        f"/apis/discovery.k8s.io/v1/namespaces/{applications.namespace}/endpointslices",
        labelSelector="kubernetes.io/service-name=web",
    )
    addresses = {address for each in slices for endpoint in each["endpoints"] for address in endpoint["addresses"]}
    assert addresses == {pod["status"]["podIP"] for pod in pods}


def test_pods_have_addresses_of_the_secondary_range(deployed: Deployed, applications: ClusterProgram) -> None:
    addresses = [pod["status"]["podIP"] for pod in deployed.pods(applications.namespace, "app=web")]
    assert all(address.startswith("100.64.") for address in addresses)


def test_a_claim_without_a_class_gets_an_encrypted_volume_of_the_account(
    deployed: Deployed, applications: ClusterProgram
) -> None:
    namespace = applications.namespace
    assert deployed.log_of_job(namespace, "writer").strip() == "kept"
    claim = deployed.api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data")
    assert (claim["spec"]["storageClassName"], claim["status"]["phase"]) == ("encrypted-gp3", "Bound")
    (found,) = _volumes(deployed, namespace)
    assert (found["VolumeType"], found["Encrypted"], found["Size"]) == ("gp3", True, 1)
    key = deployed.copy.outputs("aws:kms/key:Key", "keys-data")
    assert key["keyId"] in found["KmsKeyId"]


def test_a_second_preview_of_the_applications_shows_no_change(applications: ClusterProgram) -> None:
    applications.preview("--expect-no-changes", "--refresh")


def test_busy_pods_are_joined_by_more_up_to_the_limit(deployed: Deployed, applications: ClusterProgram) -> None:
    path = f"/apis/autoscaling/v2/namespaces/{applications.namespace}/horizontalpodautoscalers/busy"
    eventually(lambda: deployed.api.get(path)["status"].get("currentReplicas") == 3, "three busy pods", 240)
    (metric,) = deployed.api.get(path)["status"]["currentMetrics"]
    assert metric["resource"]["current"]["averageUtilization"] > 60


def test_a_job_runs_by_the_clock(deployed: Deployed, applications: ClusterProgram) -> None:
    namespace = applications.namespace

    def done() -> str | None:
        jobs = deployed.list(f"/apis/batch/v1/namespaces/{namespace}/jobs")
        clocked = [job for job in jobs if job["metadata"]["name"].startswith("clock-")]
        return next((job["metadata"]["name"] for job in clocked if job["status"].get("succeeded")), None)

    name = eventually(done, f"a job of the clock is done: {deployed.told(namespace)}", 150)
    assert deployed.log_of_job(namespace, name).strip() == "tick"


def test_destroying_the_applications_takes_the_volume_along(deployed: Deployed, applications: ClusterProgram) -> None:
    assert _volumes(deployed, applications.namespace)
    applications.pulumi("destroy", "--yes", "--skip-preview")
    eventually(lambda: not _volumes(deployed, applications.namespace), "the volume is gone", 60)


def _volumes(deployed: Deployed, namespace: str) -> list[dict[str, Any]]:
    """Return the account's volumes that belong to claims of a namespace, by the driver's tags."""
    filters = [{"Name": "tag:kubernetes.io/created-for/pvc/namespace", "Values": [namespace]}]
    return deployed.box.client("ec2").describe_volumes(Filters=filters)["Volumes"]
