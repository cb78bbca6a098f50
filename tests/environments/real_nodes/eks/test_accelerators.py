"""Accelerated nodes start when a job requests them, and accept only pods that tolerate them."""

from __future__ import annotations

from pathlib import Path

from components.accelerators import LABEL, NVIDIA
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import STACK, Deployed, write_yaml
from tests.environments.real_nodes.eks.conftest import GpuRun
from tests.environments.real_nodes.eks.manifests import gpu_job, job

JOBS = "/apis/batch/v1/namespaces/ml-platform/jobs"


def test_a_job_that_asks_for_a_gpu_makes_its_group_grow_from_zero_and_says_which_device_it_used(
    deployed: Deployed, gpu_run: GpuRun
) -> None:
    assert gpu_run.nodes_before == 0
    assert gpu_run.log.splitlines() == ["device: " + gpu_run.log.splitlines()[0].split()[-1], "simulated: True"]
    assert "device: None" not in gpu_run.log
    (node,) = [each for each in deployed.nodes("l4") if each["metadata"]["name"] == gpu_run.node]
    assert node["metadata"]["labels"][LABEL] == "nvidia-l4"
    assert node["metadata"]["labels"]["node.kubernetes.io/instance-type"] == "g6.xlarge"
    assert {"key": NVIDIA.resource, "value": "true", "effect": "NoSchedule"} in node["spec"]["taints"]
    assert node["status"]["allocatable"][NVIDIA.resource] == "1"


def test_the_account_has_an_instance_for_the_node(deployed: Deployed, gpu_run: GpuRun) -> None:
    ec2 = deployed.box.client("ec2")
    filters = [{"Name": "private-dns-name", "Values": [gpu_run.node]}]
    (reservation,) = ec2.describe_instances(Filters=filters)["Reservations"]
    (instance,) = reservation["Instances"]
    assert instance["InstanceType"] == "g6.xlarge"
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags["eks:nodegroup-name"] == deployed.group("l4")
    assert tags["environment"] == STACK


def test_no_pod_without_a_need_for_it_runs_on_an_accelerated_node(deployed: Deployed, gpu_run: GpuRun) -> None:
    there = deployed.list("/api/v1/pods", fieldSelector=f"spec.nodeName={gpu_run.node}")
    assert {pod["metadata"]["namespace"] for pod in there} <= {"accelerators", "ml-platform"}
    assert [pod for pod in there if pod["metadata"]["labels"].get("app.kubernetes.io/name") == "nvidia-device-plugin"]


def test_a_pod_without_a_toleration_is_refused_by_an_accelerated_node_even_when_it_selects_it(
    deployed: Deployed, gpu_run: GpuRun
) -> None:
    manifest = job("cpu-only", "ml-platform", "print(1)", nodeSelector={LABEL: "nvidia-l4"})
    with deployed.created(JOBS, manifest) as name:
        said = eventually(lambda: _refusal(deployed, name), "the scheduler's reason", 60)
        assert "untolerated taint" in said


def test_the_same_job_without_its_toleration_waits_and_placement_says_why(
    deployed: Deployed, gpu_run: GpuRun, tmp_path: Path
) -> None:
    manifest = gpu_job("forgetful", "ml-platform", tolerated=False)
    with deployed.created(JOBS, manifest) as name:
        assert "untolerated taint" in eventually(lambda: _refusal(deployed, name), "the scheduler's reason", 60)
        before = len(deployed.nodes("l4"))
        done = deployed.box.mlp(
            "placement", "--env", STACK, "--manifest", str(write_yaml(tmp_path, manifest)), ok=False
        )
        assert len(deployed.nodes("l4")) <= before, "no node comes for a pod that would not be let onto it"
        (pod,) = deployed.pods("ml-platform", f"job-name={name}")
        assert pod["status"]["phase"] == "Pending"
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert "unschedulable: " in said
    assert "forgetful" in said
    assert "had untolerated taint" in said
    assert f"add the toleration for {NVIDIA.resource}:NoSchedule to the pod template" in said


def test_everything_that_the_program_deploys_finds_its_place_in_all_environments(deployed: Deployed) -> None:
    said = deployed.box.mlp("placement").stdout
    assert [f"{stack}: everything finds its place" in said for stack in ("dev", "staging", "prod")] == [True] * 3


def _refusal(deployed: Deployed, job_name: str) -> str | None:
    for pod in deployed.pods("ml-platform", f"job-name={job_name}"):
        for each in pod["status"].get("conditions") or []:
            if each["type"] == "PodScheduled" and each["status"] == "False":
                return str(each["message"])
    return None
