"""A sandbox whose folder is deleted while it runs ends by itself.

It leaves nothing behind that the next one would not remove.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mlp_sandbox import lifecycle, orphans
from mlp_sandbox.clusters.exchange import SupervisorStatus
from mlp_sandbox.clusters.folder import ClusterFolder, existing_folders, read_json
from mlp_sandbox.clusters.network.network import LINK_PREFIX, NETNS_FOLDER
from mlp_sandbox.databases.postgres.host_addresses import possible
from mlp_sandbox.testing.box import Box, MakeBox

pytestmark = [
    pytest.mark.skipif(not possible(), reason="only root gives clusters a network of their own"),
    pytest.mark.timeout(480),
]

_START_SECONDS = 180.0
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def _until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def _cluster(box: Box) -> ClusterFolder:
    """Create a cluster without nodes; it still has a control plane, a namespace and a link."""
    ec2, role = box.client("ec2"), box.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    arn = role.create_role(RoleName="cluster", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
    box.client("eks").create_cluster(
        name="ml", roleArn=arn, resourcesVpcConfig={"subnetIds": [subnet["SubnetId"] for subnet in subnets]}
    )
    _until(lambda: list(existing_folders(box.instance.aws)), 30, "the cluster has a folder")
    [folder] = existing_folders(box.instance.aws)

    def active() -> bool:
        status = SupervisorStatus.read(folder)
        return status is not None and status.state == "active"

    _until(active, _START_SECONDS, "the cluster is active")
    return folder


def _machine(folder: ClusterFolder, link: str) -> list[str]:
    """List everything on the machine that belongs to a cluster."""
    found = [str(path) for path in (NETNS_FOLDER / folder.netns, Path("/sys/class/net", link)) if path.exists()]
    marked = [process for process in psutil.process_iter() if _mark(process) == str(folder.root)]
    return [*found, *(f"{process.pid} {process.name()}" for process in marked)]


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("MLP_CLUSTER_FOLDER")
    except psutil.Error:
        return None


def test_everything_of_a_deleted_sandbox_ends_by_itself(make_box: MakeBox) -> None:
    box = make_box("deleted", "real")
    folder = _cluster(box)
    link = f"{LINK_PREFIX}{read_json(folder.places)['uplink']}"
    emulator = lifecycle.status(box.instance).emulator_pid
    assert emulator is not None
    assert len(_machine(folder, link)) > 5
    shutil.rmtree(box.instance.home, ignore_errors=True)
    _until(lambda: not psutil.pid_exists(emulator) or _is_dead(emulator), 60, "the emulator has ended")
    _until(lambda: not _machine(folder, link), 30, f"nothing is left: {_machine(folder, link)}")
    assert not box.instance.aws.exists(), "somebody has made the folder anew"


@pytest.mark.long
def test_the_next_sandbox_removes_what_killed_processes_of_a_deleted_one_left(make_box: MakeBox) -> None:
    box, living = make_box("killed", "real"), make_box("living", "real")
    folder, other = _cluster(box), _cluster(living)
    link = f"{LINK_PREFIX}{read_json(folder.places)['uplink']}"
    supervisor = json.loads(folder.supervisor_pid.read_text())["pid"]
    for pid in (lifecycle.status(box.instance).emulator_pid, supervisor):
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    before = _machine(other, f"{LINK_PREFIX}{read_json(other.places)['uplink']}")
    shutil.rmtree(box.instance.home, ignore_errors=True)
    assert len(_machine(folder, link)) > 3
    assert {thing.kind for thing in orphans.find(folder.root)} == {"process", "namespace", "link"}
    make_box("next")
    assert _machine(folder, link) == []
    assert orphans.find(box.instance.home) == []
    assert _machine(other, f"{LINK_PREFIX}{read_json(other.places)['uplink']}") == before
    assert lifecycle.status(living.instance).ready


def _is_dead(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
