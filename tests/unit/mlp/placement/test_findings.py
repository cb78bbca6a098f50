"""Findings from a scheduler's answers: one test per kind, and answers that are no findings."""

from dataclasses import replace
from typing import Any

import pytest

from mlp.placement.findings import Finding, Group, Placement, findings, summary
from mlp.placement.workloads import Manifest, ManifestError, Workload, workloads

GENERAL = Group(name="general", nodes=2, instance_type="m7i.large", cpus=1.9, memory_gib=6.5)
L4 = Group(
    name="l4",
    nodes=2,
    instance_type="g6.xlarge",
    cpus=3.9,
    memory_gib=14.0,
    accelerators={"nvidia.com/gpu": 1},
    accelerator="nvidia-l4",
)
UNTOLERATED = "0/4 nodes are available: 2 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint(s)."


def manifest(kind: str = "Deployment", name: str = "app", **more: Any) -> Manifest:
    spec: dict[str, Any] = {
        "containers": [{"name": "main", "image": "app:1", "resources": more.pop("resources", {})}],
        **more.pop("pod", {}),
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return {"kind": kind, "metadata": {"name": name, "namespace": "team"}, "spec": {"template": template, **more}}


def gpu_job(**more: Any) -> Manifest:
    return manifest("Job", "train", resources={"limits": {"nvidia.com/gpu": more.pop("gpus", 1)}}, **more)


def only(manifests: list[Manifest]) -> Workload:
    [found] = workloads(manifests)
    return found


def kinds(found: list[Finding]) -> list[str]:
    return [each.kind for each in found]


def plugin() -> Manifest:
    volume = {"name": "plugins", "hostPath": {"path": "/var/lib/kubelet/device-plugins"}}
    return manifest("DaemonSet", "device-plugin", pod={"volumes": [volume]})


def test_a_job_without_toleration_is_reported_with_the_schedulers_words_and_the_toleration_to_add():
    job = only([gpu_job()])
    [found] = findings([GENERAL, L4], [Placement(workload=job, group=None, reason=UNTOLERATED)], [job])[:1]
    assert found.kind == "unschedulable"
    assert found.subject == "Job team/train"
    assert UNTOLERATED in found.reason
    assert found.fix == "add the toleration for nvidia.com/gpu:NoSchedule to the pod template"


def test_a_wrong_selector_is_answered_with_the_labels_that_there_are():
    job = only([gpu_job()])
    reason = "0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector."
    found = findings([GENERAL, L4], [Placement(workload=job, group=None, reason=reason)], [job])
    assert "accelerator=nvidia-l4" in next(each.fix for each in found if each.kind == "unschedulable")


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"limits": {"nvidia.com/gpu": 8}}, "8 nvidia.com/gpu"),
        ({"requests": {"memory": "900Gi"}}, "900 GiB"),
        ({"requests": {"cpu": "64"}}, "64 CPUs"),
    ],
)
def test_what_no_node_of_any_group_has_fits_no_group(resources: dict[str, Any], said: str):
    big = only([manifest(resources=resources)])
    found = findings([GENERAL, L4], [Placement(workload=big, group=None, reason="0/4 nodes")], [big])
    [fits_none] = [each for each in found if each.kind == "fits no group"]
    assert said in fits_none.reason
    assert "l4: 3.9 CPUs, 14.0 GiB, 1 nvidia.com/gpu" in fits_none.fix


def test_more_gpus_than_all_groups_have_are_counted_per_workload():
    jobs = workloads([gpu_job(parallelism=3, completions=3)])
    [found] = [each for each in findings([GENERAL, L4], [], jobs) if each.kind.startswith("more")]
    assert found.subject == "nvidia.com/gpu"
    assert "ask for 3 (Job team/train 3), the groups have 2" in found.reason


def test_a_gpu_group_without_a_device_plugin_is_reported():
    found = findings([GENERAL, L4], [], [])
    assert [(each.kind, each.subject) for each in found] == [("accelerators not announced", "group l4")]


def test_a_device_plugin_that_does_not_reach_the_group_is_reported_with_the_reason():
    daemon = only([plugin()])
    reason = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    placements = [Placement(workload=daemon, group=None, reason=reason, pinned=name) for name in ("general", "l4")]
    [found] = findings([GENERAL, L4], placements, [daemon])
    assert found.kind == "accelerators not announced"
    assert reason in found.reason


def test_a_device_plugin_on_every_node_of_the_group_is_no_finding():
    daemon = only([plugin()])
    assert findings([GENERAL, L4], [Placement(workload=daemon, group="l4", pinned="l4")], [daemon]) == []


def test_an_exporter_is_asked_for_only_where_there_is_one():
    volume = {"name": "resources", "hostPath": {"path": "/var/lib/kubelet/pod-resources/"}}
    exporter = only([manifest("DaemonSet", "exporter", pod={"volumes": [volume]})])
    daemon = only([plugin()])
    covered = [Placement(workload=daemon, group="l4", pinned="l4")]
    missed = Placement(workload=exporter, group=None, pinned="l4", reason="1 node(s) didn't match")
    assert kinds(findings([L4], [*covered, missed], [daemon, exporter])) == ["accelerators not watched"]


def test_a_daemonset_that_does_not_fit_on_its_node_is_reported():
    daemon = only([manifest("DaemonSet", "agent")])
    full = Placement(workload=daemon, group=None, pinned="general", reason="1 Insufficient cpu.")
    assert kinds(findings([GENERAL], [full], [daemon])) == ["not on every node"]


def test_a_pod_without_accelerators_that_a_gpu_node_takes_is_a_stray():
    app = only([manifest()])
    placed = [Placement(workload=app, group="general"), Placement(workload=app, group="l4", probe=True)]
    [found] = [each for each in findings([GENERAL, L4], placed, [app]) if each.kind.startswith("can land")]
    assert found.subject == "Deployment team/app"
    assert "group l4" in found.reason


def test_the_summary_counts_pods_by_group_and_leaves_out_nodes_that_are_none_of_a_daemonsets_business():
    daemon, app = only([plugin()]), only([manifest(replicas=2)])
    placed = [
        Placement(workload=app, group="general"),
        Placement(workload=app, group="l4"),
        Placement(workload=daemon, group="l4", pinned="l4"),
        Placement(workload=daemon, group=None, pinned="general", reason="didn't match Pod's node affinity/selector"),
    ]
    assert [(row.workload, row.as_dict()) for row in summary(placed)] == [
        ("Deployment team/app", {"placed": 2, "wanted": 2, "groups": {"general": 1, "l4": 1}}),
        ("DaemonSet team/device-plugin", {"placed": 1, "wanted": 1, "groups": {"l4": 1}}),
    ]


def test_an_autoscaled_deployment_counts_with_its_maximum():
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "app", "namespace": "team"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "app"}, "maxReplicas": 7},
    }
    assert only([manifest(replicas=2), scaler]).replicas == 7


@pytest.mark.parametrize(
    ("kind", "spec", "replicas"),
    [
        ("Deployment", {"replicas": 3}, 3),
        ("StatefulSet", {}, 1),
        ("Job", {"parallelism": 4, "completions": 2}, 2),
        ("Job", {}, 1),
    ],
)
def test_replicas_are_what_can_run_at_once(kind: str, spec: dict[str, Any], replicas: int):
    assert only([manifest(kind, **spec)]).replicas == replicas


def test_what_matters_most_is_placed_first_and_daemons_before_all():
    classes = [{"kind": "PriorityClass", "metadata": {"name": "serving"}, "value": 1000}]
    low, high = manifest(name="low"), manifest(name="high", pod={"priorityClassName": "serving"})
    order = [each.name for each in workloads([*classes, low, high, plugin()])]
    assert order == ["device-plugin", "high", "low"]


def test_a_priority_class_that_does_not_exist_is_named():
    with pytest.raises(ManifestError, match="Deployment team/app: priorityClassName 'urgent' does not exist"):
        workloads([manifest(pod={"priorityClassName": "urgent"})])


def test_a_workload_without_containers_is_named():
    with pytest.raises(ManifestError, match="Job team/train has no containers"):
        workloads([{"kind": "Job", "metadata": {"name": "train", "namespace": "team"}, "spec": {"template": {}}}])


def test_a_group_with_efa_needs_a_plugin_for_it_beside_that_of_its_accelerators():
    group = replace(L4, accelerators={"nvidia.com/gpu": 1, "vpc.amazonaws.com/efa": 1})
    gpus = only([plugin()])
    there = [Placement(workload=gpus, group="l4", pinned="l4")]
    assert kinds(findings([group], there, [gpus])) == ["accelerators not announced"]
    [efa] = workloads([{**plugin(), "metadata": {"name": "efa-device-plugin", "namespace": "team"}}])
    both = [*there, Placement(workload=efa, group="l4", pinned="l4")]
    assert findings([group], both, [gpus, efa]) == []
