"""Recovery after everything was killed, and after everything was stopped; nothing remains on the host."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.clusters import host
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.manifests import job


@pytest.mark.long
def test_after_a_kill_of_every_process_the_sandbox_comes_back_with_all_its_pods_and_nothing_is_to_be_changed(
    deployed: Deployed,
) -> None:
    nodes = {node["metadata"]["name"] for node in deployed.nodes("general")}
    volumes = deployed.outputs["data_lake_bucket"]
    deployed.box.client("s3").put_object(Bucket=volumes, Key="kept", Body=b"kept")
    doomed = deployed.all_pids()
    names = {psutil.Process(pid).name() for pid in doomed if psutil.pid_exists(pid)}
    assert {"etcd", "kube-apiserver", "kubelet", "containerd", "postgres"} <= names
    for pid in doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deployed.box.up()
    eventually(deployed.settled, "every pod runs again", 240)
    assert {node["metadata"]["name"] for node in deployed.nodes("general")} == nodes
    assert deployed.box.client("s3").get_object(Bucket=volumes, Key="kept")["Body"].read() == b"kept"
    deployed.copy.pulumi("preview", "--expect-no-changes", "--refresh")
    deployed.copy.up()


@pytest.mark.long
def test_pods_run_and_have_logs_after_the_recovery(deployed: Deployed) -> None:
    with deployed.created("/apis/batch/v1/namespaces/ml-platform/jobs", job("after", "ml-platform", "print(6 * 7)")):
        assert deployed.log_of_job("ml-platform", "after").strip() == "42"


def test_down_leaves_the_host_as_it_was_before_and_up_brings_all_of_it_back(deployed: Deployed) -> None:
    assert lifecycle.down(deployed.box.instance)
    assert deployed.all_pids() == set()
    assert host.leftovers(deployed.host, host.snapshot(deployed.box.instance.aws)) == []
    deployed.box.up()
    eventually(deployed.settled, "every pod runs again", 240)
    deployed.copy.pulumi("preview", "--expect-no-changes", "--refresh")
