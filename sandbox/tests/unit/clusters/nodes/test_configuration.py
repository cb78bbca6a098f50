"""Configuration of a node's processes."""

from dataclasses import replace
from pathlib import Path

import pytest

from mlp_sandbox.clusters.model import Certificate, ClusterAccess, NodeSpec
from mlp_sandbox.clusters.nodes.real import configuration, containers, machine
from mlp_sandbox.clusters.nodes.real.base_spec import DATABASE_CA, with_certificates
from mlp_sandbox.clusters.nodes.real.configuration import registration_labels
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.clusters.nodes.real.plan import Plan
from mlp_sandbox.contracts.desired import EksTaint
from mlp_sandbox.errors import SandboxError

SPEC = NodeSpec(
    name="ip-10-0-0-5.ec2.internal",
    provider_id="aws:///us-east-1a/i-05",
    private_ip="10.0.0.5",
    instance_type="g5.12xlarge",
    zone="us-east-1a",
    node_group="gpu",
    labels={"accelerator": "nvidia-a10g"},
    taints=(EksTaint(key="nvidia.com/gpu", value="true", effect="NoSchedule"),),
    cpus=48,
    memory_mib=196608,
    max_pods=110,
    accelerators={"nvidia.com/gpu": 4},
    real=True,
    pod_cidr="100.64.3.0/24",
)


def issue(common_name: str, organisations: tuple[str, ...], stem: str) -> Certificate:
    return Certificate(certificate=Path(f"/pki/{stem}.crt"), key=Path(f"/pki/{stem}.key"))


ACCESS = ClusterAccess(
    cluster_id="c1",
    name="ml",
    region="us-east-1",
    server="https://10.0.0.1:443",
    ca=Path("/pki/ca.crt"),
    netns="mlp-c1",
    bridge="nodes",
    gateway="10.0.0.1",
    node_prefix_length=16,
    pod_cidr="100.64.0.0/16",
    service_cidr="172.20.0.0/16",
    dns_address="172.20.0.10",
    aws_endpoint="http://198.18.0.1:4566",
    registry="10.0.0.1:5000",
    issue=issue,
)


class Programs:
    def path(self, name: str) -> Path:
        return Path("/programs") / name


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NodeFolder:
    monkeypatch.setattr(configuration, "_program", lambda name: f"/usr/bin/{name}")
    made = NodeFolder(tmp_path / "node")
    made.make()
    return made


def test_labels_that_a_kubelet_may_not_set_are_left_to_the_api() -> None:
    labels = {
        "accelerator": "nvidia-l4",
        "eks.amazonaws.com/nodegroup": "gpu",
        "kubernetes.io/hostname": "a",
        "topology.kubernetes.io/zone": "us-east-1a",
        "node.kubernetes.io/instance-type": "g6.xlarge",
        "team.node.kubernetes.io/x": "1",
        "node-role.kubernetes.io/gpu": "",
        "node-restriction.kubernetes.io/team": "x",
        "pool.k8s.io/x": "y",
    }
    refused = {"node-role.kubernetes.io/gpu", "node-restriction.kubernetes.io/team", "pool.k8s.io/x"}
    assert set(labels) - set(registration_labels(labels)) == refused


@pytest.mark.parametrize(
    ("cpus", "max_pods", "kept"),
    [
        (1, 8, {"cpu": "60m", "memory": "343Mi"}),
        (2, 29, {"cpu": "70m", "memory": "574Mi"}),
        (4, 58, {"cpu": "80m", "memory": "893Mi"}),
        (96, 110, {"cpu": "310m", "memory": "1465Mi"}),
    ],
)
def test_as_much_is_kept_for_the_system_as_on_amazons_images(cpus: int, max_pods: int, kept: dict[str, str]) -> None:
    assert machine.reserved(cpus, max_pods) == kept


def test_a_node_shows_the_processors_and_memory_of_its_instance_type(folder: NodeFolder) -> None:
    machine.write(folder, SPEC)
    assert len(list((folder.machine / "cpu").glob("cpu*/topology/core_id"))) == 48
    assert (folder.machine / "cpu" / "online").read_text() == "0-47\n"
    assert (folder.machine / "meminfo").read_text().startswith(f"MemTotal: {196608 * 1024} kB\n")


def test_a_smaller_size_leaves_no_processors_of_a_larger_one(folder: NodeFolder) -> None:
    machine.write(folder, SPEC)
    machine.write(folder, replace(SPEC, cpus=1))
    assert len(list((folder.machine / "cpu").glob("cpu[0-9]*"))) == 1
    assert (folder.machine / "cpu" / "online").read_text() == "0\n"


def test_the_plan_reads_back_as_it_was_written(folder: NodeFolder) -> None:
    plan = configuration.plan(SPEC, ACCESS, folder, Programs())
    plan.write(folder.plan)
    assert Plan.read(folder.plan) == plan


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        ({"labels": {"accelerator": "nvidia-l4"}}, False),
        ({"taints": ()}, False),
        ({"max_pods": 8}, True),
        ({"cpus": 4}, True),
        ({"private_ip": "10.0.0.6"}, True),
        ({"pod_cidr": "100.64.4.0/24"}, True),
    ],
)
def test_a_node_is_started_anew_only_for_what_it_is_made_of(
    folder: NodeFolder, change: dict[str, object], anew: bool
) -> None:
    before = configuration.plan(SPEC, ACCESS, folder, Programs())
    after = configuration.plan(replace(SPEC, **change), ACCESS, folder, Programs())  # pyright: ignore[reportArgumentType]
    assert (before.fingerprint != after.fingerprint) == anew


def test_a_node_is_started_anew_when_databases_have_other_certificates(folder: NodeFolder, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    prints = [configuration.plan(SPEC, ACCESS, folder, Programs()).fingerprint]
    for text in ("one", "two"):
        authority.write_text(text)
        access = replace(ACCESS, database_ca=authority)
        prints.append(configuration.plan(SPEC, access, folder, Programs()).fingerprint)
    assert len(set(prints)) == 3


def test_containers_start_from_a_mount_of_the_certificates_and_the_machines_limits() -> None:
    spec = {"process": {"cwd": "/", "rlimits": [{"type": "RLIMIT_NOFILE"}]}, "mounts": [{"destination": "/proc"}]}
    made = with_certificates(spec, Path("/node/ca.pem"))
    assert made["process"] == {"cwd": "/"}
    assert [each["destination"] for each in made["mounts"]] == ["/proc", DATABASE_CA]
    assert made["mounts"][-1]["source"] == "/node/ca.pem"
    assert {"bind", "ro"} <= set(made["mounts"][-1]["options"])


def test_a_node_without_a_range_for_pods_is_refused(folder: NodeFolder) -> None:
    with pytest.raises(SandboxError, match=r"ip-10-0-0-5\.ec2\.internal: a real node needs a pod_cidr"):
        configuration.write(replace(SPEC, pod_cidr=None), ACCESS, folder, overlay=True)


def test_without_overlays_and_priorities_containerd_is_told_to_do_without(folder: NodeFolder) -> None:
    without = containers.containerd_toml(folder, overlay=False, may_raise_priority=False, with_base=False)
    assert 'snapshotter = "native"' in without
    assert "restrict_oom_score_adj = true" in without
    text = containers.containerd_toml(folder, overlay=True, may_raise_priority=True, with_base=False)
    assert "restrict_oom_score_adj = false" in text


def test_two_nodes_share_no_name_outside_of_their_folders(tmp_path: Path) -> None:
    one, other = NodeFolder(tmp_path / "a"), NodeFolder(tmp_path / "b")
    assert one.cgroup != other.cgroup
    assert one.link != other.link
    assert len(one.link) <= 15
