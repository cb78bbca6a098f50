"""`up` waits until objects are ready, shows the state that it waits for, and ends early when they cannot become ready.

No kubelet runs here: the tests write its reports into the pod's status.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.testing.box import eventually
from sandbox.tests.live.providers.clusters import POD, ClusterProgram, Doorway, make, pods, running, set_status

NOWHERE = 'nodeSelector={"nowhere": "true"}'
WEB = """
k8s.apps.v1.Deployment("web", metadata={"namespace": NAMESPACE, "name": "web"%s}, opts=options(%s), spec={
    "replicas": 1, "selector": {"match_labels": {"app": "web"}}, "template": labelled("web", %s)})
"""
UP = ("up", "--yes", "--skip-preview")


def pod_of(cluster: Cluster, namespace: str) -> Object:
    return eventually(lambda: pods(cluster, namespace), f"a pod in {namespace}")[0]


def report(cluster: Cluster, pod: Object, state: dict[str, Any], **more: Any) -> None:
    container = {"name": "main", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": state, **more}
    set_status(cluster, POD, pod, {"phase": "Pending", "containerStatuses": [container]})


def test_a_pod_that_fits_nowhere_is_explained_by_the_scheduler_until_the_time_is_up(kube: ClusterProgram) -> None:
    kube.write(WEB % ("", 'custom_timeouts=CustomTimeouts(create="6s")', NOWHERE))
    failed = kube.up(ok=False)
    assert "not ready after 6 seconds: 0 of 1 pods are available" in failed
    assert "cannot be placed: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector" in failed
    made = kube.only("kubernetes:apps/v1:Deployment")
    assert made["id"] == f"{kube.namespace}/web"
    assert "cannot be placed" in made["initErrors"][0]


def test_a_resource_that_was_not_ready_is_waited_for_again(kube: ClusterProgram) -> None:
    kube.write(WEB % (', "annotations": {"pulumi.com/timeoutSeconds": "2"}', "", NOWHERE))
    assert "not ready after 2 seconds" in kube.up(ok=False)
    kube.write(WEB % (', "annotations": {"pulumi.com/timeoutSeconds": "60"}', "", ""))
    assert "1 updated" in kube.up()
    assert "initErrors" not in kube.only("kubernetes:apps/v1:Deployment")


def test_an_image_that_cannot_be_had_ends_the_wait_with_the_registrys_words(
    kube: ClusterProgram, cluster: Cluster
) -> None:
    kube.write(WEB % ("", "", NOWHERE))
    with running(kube, *UP) as up:
        message = 'Back-off pulling image "registry.example/app:1": ErrImagePull: not found'
        report(
            cluster, pod_of(cluster, kube.namespace), {"waiting": {"reason": "ImagePullBackOff", "message": message}}
        )
        said = up.communicate(timeout=60)[0]
    assert up.returncode
    assert f"its image registry.example/app:1 cannot be had: ImagePullBackOff: {message}" in said


def test_a_container_that_ends_again_and_again_ends_the_wait(kube: ClusterProgram, cluster: Cluster) -> None:
    kube.write(WEB % ("", "", NOWHERE))
    with running(kube, *UP) as up:
        pod = pod_of(cluster, kube.namespace)
        held = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
        ended = {"terminated": {"exitCode": 3, "reason": "Error", "message": "no database"}}
        report(cluster, pod, held, restartCount=3, lastState=ended)
        said = up.communicate(timeout=60)[0]
    assert "container 'main' ends again and again (3 restarts): exit code 3 (Error): no database" in said
    assert f"Container 'main' of pod {pod['metadata']['name']} wrote nothing that could be read" in said


def test_pods_that_pod_security_refuses_end_the_wait(kube: ClusterProgram, cluster: Cluster) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    make(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kube.namespace, "labels": labels}})
    kube.write(
        WEB % ("", "", "hostNetwork=True")
        + """
k8s.batch.v1.Job("job", metadata={"namespace": NAMESPACE, "name": "job"}, opts=options(),
    spec={"template": labelled("job", restartPolicy="Never", hostNetwork=True)})
"""
    )
    failed = kube.up(ok=False)
    assert failed.count('violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)') >= 2


def test_a_service_says_that_nothing_matches_its_selector(kube: ClusterProgram) -> None:
    kube.write("""
        k8s.core.v1.Service("web", metadata={"namespace": NAMESPACE, "name": "web"}, spec={"selector": {"app": "wbe"},
            "ports": [{"port": 80}]}, opts=options(custom_timeouts=CustomTimeouts(create="2s")))
    """)
    assert "no pod to send to: its selector is app=wbe, no pod matches it" in kube.up(ok=False)


def test_a_failed_job_says_why_and_is_made_again_when_asked_to(kube: ClusterProgram, cluster: Cluster) -> None:
    source = """
        k8s.batch.v1.Job("job", metadata={"namespace": NAMESPACE, "name": "job",
            "annotations": {"pulumi.com/replaceUnready": "true"}}, opts=options(),
            spec={"backoff_limit": 0, "template": labelled("job", restartPolicy="Never", %s)})
    """
    kube.write(source % NOWHERE)
    with running(kube, *UP) as up:
        pod = pod_of(cluster, kube.namespace)
        ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
        container = {"name": "main", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": ended}
        set_status(cluster, POD, pod, {"phase": "Failed", "containerStatuses": [container]})
        said = up.communicate(timeout=60)[0]
    assert "the job failed: BackoffLimitExceeded: Job has reached the specified backoff limit" in said
    assert kube.steps() == {"job": "replace"}


@pytest.mark.parametrize(
    ("wait_for", "status", "seen"),
    [
        ("jsonpath={.data.state}=done", "", ".data.state is new, not done"),
        ("condition=Synced", "", "condition Synced is not there"),
    ],
)
def test_a_condition_of_the_programs_own_is_waited_for(
    kube: ClusterProgram, wait_for: str, status: str, seen: str
) -> None:
    kube.write(f"""
        k8s.core.v1.ConfigMap("state", metadata={{"namespace": NAMESPACE, "annotations": {{
            "pulumi.com/waitFor": "{wait_for}", "pulumi.com/timeoutSeconds": "2"}}}}, data={{"state": "new"}},
            opts=options())
    """)
    assert seen in kube.up(ok=False)


def test_nothing_is_waited_for_where_the_program_says_so(kube: ClusterProgram) -> None:
    kube.write(WEB % (', "annotations": {"pulumi.com/skipAwait": "true"}', "", NOWHERE))
    assert "created" in kube.up()


def test_annotations_that_mean_nothing_are_refused_at_once(kube: ClusterProgram) -> None:
    kube.write(WEB % (', "annotations": {"pulumi.com/timeoutSeconds": "5m"}', "", ""))
    assert "pulumi.com/timeoutSeconds: '5m' is not a whole number of seconds" in kube.preview(ok=False)


def test_a_namespace_that_cannot_end_says_what_holds_it(kube: ClusterProgram, cluster: Cluster) -> None:
    name = f"{kube.namespace}-stuck"
    kube.write(f"""
        k8s.core.v1.Namespace("stuck", metadata={{"name": "{name}"}},
            opts=options(custom_timeouts=CustomTimeouts(delete="8s")))
    """)
    kube.up()
    held = {"name": "held", "namespace": name, "finalizers": ["example.com/never"]}
    make(cluster, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": held})
    failed = kube.pulumi("destroy", "--yes", "--skip-preview", ok=False)
    assert "still there 8 seconds after it was deleted" in failed
    assert "Some content in the namespace has finalizers remaining: example.com/never in 1 resource instances" in failed
    free = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "namespace": name}}
    make(cluster, free)
    kube.pulumi("destroy", "--yes", "--skip-preview")
    assert cluster.get(Kind("", "v1", "Namespace"), "", name) is None


def test_an_api_server_that_is_away_for_a_while_is_waited_for(kube: ClusterProgram, cluster: Cluster) -> None:
    door = Doorway(cluster.server)
    config = yaml.safe_load(kube.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = door.server
    kube.write(WEB % ("", "", NOWHERE), kube.provider(kubeconfig=yaml.safe_dump(config)))
    with running(kube, *UP) as up:
        pod = pod_of(cluster, kube.namespace)
        door.shut()
        assert up.stdout
        said = ""
        while "does not answer" not in said:
            said = up.stdout.readline()
            assert said, "the engine ended"
        set_status(cluster, POD, pod, {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        door.open()
        said = up.communicate(timeout=60)[0]
    assert "Deployment web created" in said
    assert "errored" not in said


def test_what_is_gone_already_is_destroyed(kube: ClusterProgram, cluster: Cluster) -> None:
    kube.write(WEB % ("", "", ""))
    kube.up()
    cluster.delete(Kind("apps", "v1", "Deployment"), kube.namespace, "web", "Background")
    kube.pulumi("destroy", "--yes", "--skip-preview")
