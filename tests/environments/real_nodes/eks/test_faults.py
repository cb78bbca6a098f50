"""Faults during a deployment: each gives a clear early error or is overcome, and none is half applied."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from mlp_sandbox import processes
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.testing.box import eventually
from sandbox.tests.live.providers.clusters import ClusterProgram, running
from tests.environments.real_nodes.deployed import Deployed, is_ready
from tests.environments.real_nodes.eks.manifests import PYTHON, deployment

UP = ("up", "--yes", "--skip-preview")
DEPLOYMENT = """
k8s.apps.v1.Deployment("{name}", metadata={{"namespace": NAMESPACE, "name": "{name}"}}, opts=options(), spec={{
    "selector": {{"match_labels": {{"app": "{name}"}}}},
    "template": labelled("{name}", image={image!r}, terminationGracePeriodSeconds=1, container={{
        "command": ["python3", "-u", "-c", {script!r}], {more}}})}})
"""
CHAIN = """
before = []
for index in range(40):
    each = k8s.core.v1.ConfigMap(f"link-{index:02}", metadata={"namespace": NAMESPACE, "name": f"link-{index:02}"},
        data={"index": str(index)}, opts=options(depends_on=before))
    before = [each]
"""


def links(deployed: Deployed, namespace: str) -> list[str]:
    found = deployed.list(f"/api/v1/namespaces/{namespace}/configmaps")
    return sorted(each["metadata"]["name"] for each in found if each["metadata"]["name"].startswith("link-"))


def test_a_manifest_that_the_api_server_rejects_is_told_by_field_and_applied_in_no_part(
    deployed: Deployed, kube: ClusterProgram
) -> None:
    good = 'k8s.core.v1.ConfigMap("good", metadata={"namespace": NAMESPACE, "name": "good"}, opts=options())\n'
    wrong = DEPLOYMENT.format(name="web", image=PYTHON, script="print(1)", more="").replace(
        '"web"}, opts', '"Not A Name"}, opts'
    )
    kube.write(good + wrong)
    assert "metadata.name" in kube.preview(ok=False), "before anything is changed"
    said = kube.up(ok=False)
    assert "metadata.name" in said
    assert '"Not A Name"' in said
    assert deployed.list(f"/apis/apps/v1/namespaces/{kube.namespace}/deployments") == []
    assert [each["urn"].rsplit("::", 1)[1] for each in kube.resources("kubernetes:apps/v1:Deployment")] == []
    kube.write(good + DEPLOYMENT.format(name="web", image=PYTHON, script="import time; time.sleep(3600)", more=""))
    kube.up()
    kube.preview("--expect-no-changes")


def test_what_will_never_run_ends_the_deployment_with_the_words_of_the_registry_and_of_the_container_itself(
    kube: ClusterProgram,
) -> None:
    script = "print('connecting to db.example'); raise SystemExit('no such database: features')"
    # Without a probe a pod that has only just started counts as ready, on every cluster.
    probe = '"readinessProbe": {"tcpSocket": {"port": 8080}}'
    crashes = DEPLOYMENT.format(name="crashes", image=PYTHON, script=script, more=probe)
    lacks = DEPLOYMENT.format(name="lacks", image="public.ecr.aws/nobody/nothing:1.2", script="print(1)", more="")
    kube.write(crashes + lacks)
    begin = time.monotonic()
    said = kube.up(ok=False)
    assert time.monotonic() - begin < 150
    assert "its image public.ecr.aws/nobody/nothing:1.2 cannot be had" in said
    assert "not in the sandbox's image catalogue" in said
    assert "container 'main' ends again and again" in said
    assert "exit code 1" in said
    assert "connecting to db.example" in said
    assert "no such database: features" in said


@pytest.mark.parametrize("part", ["kube-apiserver", "etcd"])
def test_a_control_plane_killed_in_the_middle_of_a_deployment_does_not_stop_it(
    deployed: Deployed, kube: ClusterProgram, part: str
) -> None:
    kube.write(CHAIN)
    with running(kube, *UP) as up:
        eventually(lambda: len(links(deployed, kube.namespace)) >= 5, "five objects are there", 90)
        deployed.kill(part)
        said, _ = up.communicate(timeout=300)
    assert up.returncode == 0, said
    kube.preview("--expect-no-changes", "--refresh")
    assert links(deployed, kube.namespace) == [f"link-{index:02}" for index in range(40)]


def test_pods_survive_a_kubelet_that_is_killed(deployed: Deployed) -> None:
    with deployed.namespace() as namespace:
        manifest = deployment("steady", namespace, "import time; time.sleep(3600)", replicas=2)
        deployed.api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", manifest)

        def ready() -> bool:
            pods = deployed.pods(namespace)
            return len(pods) == 2 and all(is_ready(pod) for pod in pods)

        eventually(ready, f"both pods are ready: {deployed.told(namespace)}", 120)
        before = deployed.restarts()
        node = deployed.pods(namespace)[0]["spec"]["nodeName"]
        killed = kubelet(deployed.folder.nodes / node)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: kubelet(deployed.folder.nodes / node) not in (0, killed), "another kubelet runs", 60)
        pod = deployed.pods(namespace)[0]["metadata"]["name"]
        command = ("kubectl", "exec", "--namespace", namespace, pod, "--", "python3", "-c", "print(6 * 7)")
        eventually(lambda: deployed.box.run(*command, ok=False).stdout == "42\n", "exec works again", 60)
        assert ready()
        assert deployed.restarts() == before


def kubelet(node: Path) -> int:
    """Return the kubelet's pid on this machine; 0 while none runs."""
    outside = processes.running(NodeFolder(node).pid_file)
    assert outside is not None, f"{node.name} does not run"
    for process in psutil.Process(outside).children(recursive=True):
        try:
            if process.name() == "kubelet" and process.status() != psutil.STATUS_ZOMBIE:
                return process.pid
        except psutil.NoSuchProcess:
            continue
    return 0
