"""`mlp placement` with the real scheduler: every committed environment, and workloads that cannot be placed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mlp.app import make_app
from mlp.placement import check as placement_check
from mlp.placement.check import Result, check
from mlp.recording import RecordingCloud, configuration, run_main
from mlp_sandbox.engine.stacks import stack_names
from mlp_sandbox.extension import control_plane

pytestmark = pytest.mark.timeout(300)
ENVIRONMENTS = ("dev", "prod", "staging")
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


def job(name: str, *, requests: Mapping[str, Any], parallelism: int = 1, **pod: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "train:1", "resources": {"limits": dict(requests)}}
    template = {"spec": {"restartPolicy": "Never", "containers": [container], **pod}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "ml-platform"},
        "spec": {"parallelism": parallelism, "completions": parallelism, "template": template},
    }


def placed(stack: str, *manifests: dict[str, Any]) -> Result:
    return check(stack, manifests, lambda _line: None, control_plane)


def kinds(result: Result) -> dict[str, str]:
    return {finding.subject: finding.kind for finding in result.findings}


def test_every_committed_environment_is_looked_at():
    assert tuple(stack_names()) == ENVIRONMENTS


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_everything_of_a_committed_environment_finds_its_place(stack: str):
    result = placed(stack)
    assert [finding.as_dict() for finding in result.findings] == []
    assert {placement.workload.kind for placement in result.placements} >= {"DaemonSet", "Deployment"}


def test_a_gpu_job_with_toleration_finds_a_node_and_one_without_is_told_which_to_add():
    good = job("good", requests={"nvidia.com/gpu": 1}, tolerations=[TOLERATION])
    result = placed("dev", good, job("bad", requests={"nvidia.com/gpu": 1}))
    [finding] = result.findings
    assert (finding.subject, finding.kind) == ("Job ml-platform/bad", "unschedulable")
    assert "untolerated taint" in finding.reason
    assert "toleration for nvidia.com/gpu:NoSchedule" in finding.fix
    assert [each.group for each in result.placements if each.workload.name == "good"] == ["nodes-l4-group"]


def test_requests_that_no_node_has_and_sums_that_no_group_has_are_reported():
    eight = job("eight", requests={"nvidia.com/gpu": 8}, tolerations=[TOLERATION])
    many = job("many", requests={"nvidia.com/gpu": 1}, parallelism=3, tolerations=[TOLERATION])
    found = kinds(placed("dev", eight, many))
    assert found["Job ml-platform/eight"] == "fits no group"
    assert found["nvidia.com/gpu"] == "more accelerators than the groups have"


def test_a_pod_without_accelerator_that_tolerates_the_taint_is_found_though_it_lies_well_today():
    stray = job("stray", requests={"cpu": "100m"}, tolerations=[TOLERATION])
    result = placed("dev", stray)
    assert kinds(result) == {"Job ml-platform/stray": "can land on accelerated nodes"}


def test_a_selector_for_a_label_that_no_group_has_is_found(monkeypatch: pytest.MonkeyPatch):
    """A renamed label was the mistake that left GPU nodes without device plugin on other platforms."""

    def renamed(stack: str, config: dict[str, Any]) -> RecordingCloud:
        cloud = run_main(stack, config)
        for resource in cloud.resources:
            if resource.typ == "aws:eks/nodeGroup:NodeGroup" and "accelerator" in resource.inputs["labels"]:
                resource.inputs["labels"]["accelerator"] = "nvidia-l4-old"
        return cloud

    monkeypatch.setattr(placement_check, "run_main", renamed)
    [finding] = placed("dev").findings
    assert (finding.subject, finding.kind) == ("group nodes-l4-group", "accelerators not announced")


def test_a_pool_with_efa_takes_pods_that_ask_for_it_and_a_plugin_that_announces_it(monkeypatch: pytest.MonkeyPatch):
    def with_efa(stack: str) -> dict[str, Any]:
        config = configuration(stack)
        config["ml-platform:platform"]["cluster"]["gpu_pools"]["h100"]["efa"] = True
        return config

    monkeypatch.setattr(placement_check, "configuration", with_efa)
    asked = {"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": 32}
    fits = job("fits", requests=asked, tolerations=[TOLERATION])
    result = placed(
        "prod", fits, job("more", requests={**asked, "vpc.amazonaws.com/efa": 33}, tolerations=[TOLERATION])
    )
    assert kinds(result) == {"Job ml-platform/more": "fits no group"}
    assert [each.group for each in result.placements if each.workload.name == "fits"] == ["nodes-h100-group"]
    plugin = [each for each in result.placements if each.workload.name == "efa-device-plugin" and each.group]
    assert {each.group for each in plugin} == {"nodes-h100-group"}


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(make_app(), ["placement", *arguments])
    return done.exit_code, done.stdout + done.stderr


def test_findings_end_with_exit_code_1_and_json_says_them(tmp_path: Path):
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(job("bad", requests={"nvidia.com/gpu": 1})))
    done = CliRunner().invoke(make_app(), ["placement", "--env", "dev", "--manifest", str(path), "--json"])
    assert done.exit_code == 1
    [document] = json.loads(done.stdout)
    assert document["stack"] == "dev"
    assert [finding["kind"] for finding in document["findings"]] == ["unschedulable"]
    assert document["workloads"]["Job ml-platform/bad"]["placed"] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("kind: [", "is not YAML"),
        ("- 1\n", "no Kubernetes object"),
        ("kind: Job\nmetadata: {name: x}\n", "no containers"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path, content: str, said: str):
    path = tmp_path / "job.yaml"
    path.write_text(content)
    code, output = invoke("--env", "dev", "--manifest", str(path))
    assert code == 1
    assert said in output


def test_an_unknown_stack_is_named_with_those_that_there_are():
    code, output = invoke("--env", "qa")
    assert code == 1
    assert "there are dev, prod, staging" in output


def test_wrong_settings_end_the_check_with_the_message_of_the_program(monkeypatch: pytest.MonkeyPatch):
    def broken(stack: str) -> dict[str, Any]:
        config = configuration(stack)
        config["ml-platform:platform"]["cluster"]["gpu_pools"]["l4"]["accelerator"] = "nvidia-h100"
        return config

    monkeypatch.setattr(placement_check, "configuration", broken)
    code, output = invoke("--env", "dev")
    assert code == 1
    assert "cluster.gpu_pools.l4.accelerator" in output
