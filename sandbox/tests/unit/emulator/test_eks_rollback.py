"""Rollback of a cluster by one minor version within seven days, under the conditions that EKS documents."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.eks_world import World

_EMPTY = {"minSize": 0, "maxSize": 1, "desiredSize": 0}
_UPGRADED = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def upgraded(world: World) -> World:
    """Upgrade a cluster from 1.35 to 1.36 on the first of November; its node group stays at 1.35."""
    with time_machine.travel(_UPGRADED, tick=False):
        world.cluster(version="1.35")
        world.node_group(scalingConfig=_EMPTY)
        world.eks.update_cluster_version(name="ml", version="1.36")
    return world


def _version(world: World) -> tuple[str, str]:
    cluster = world.eks.describe_cluster(name="ml")["cluster"]
    return cluster["version"], cluster["platformVersion"]


@pytest.mark.parametrize(
    ("later", "allowed"), [(timedelta(minutes=1), True), (timedelta(days=7), True), (timedelta(days=7, hours=1), False)]
)
def test_the_window_is_seven_days(upgraded: World, later: timedelta, allowed: bool):
    with time_machine.travel(_UPGRADED + later, tick=False):
        if not allowed:
            with pytest.raises(ClientError, match="within 7 days of an upgrade in place"):
                upgraded.eks.update_cluster_version(name="ml", version="1.35")
            return
        update = upgraded.eks.update_cluster_version(name="ml", version="1.35")["update"]
    assert update["type"] == "VersionRollback"
    assert {item["type"]: item["value"] for item in update["params"]}["Version"] == "1.35"
    assert _version(upgraded) == ("1.35", "eks.12")


def test_it_goes_back_once_and_by_one_and_may_go_up_again(upgraded: World):
    with time_machine.travel(_UPGRADED + timedelta(hours=1), tick=False):
        with pytest.raises(ClientError, match=r"minor version update from 1\.36 to 1\.34"):
            upgraded.eks.update_cluster_version(name="ml", version="1.34")
        upgraded.eks.update_cluster_version(name="ml", version="1.35")
        with pytest.raises(ClientError, match=r"cannot be rolled back from 1\.35 to 1\.34"):
            upgraded.eks.update_cluster_version(name="ml", version="1.34")
        upgraded.eks.update_cluster_version(name="ml", version="1.36")
        upgraded.eks.update_cluster_version(name="ml", version="1.35")


def test_nodes_go_back_first_or_it_is_forced(upgraded: World):
    with time_machine.travel(_UPGRADED + timedelta(hours=1), tick=False):
        upgraded.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", version="1.36")
        with pytest.raises(ClientError, match=r"general \(1\.36\) are newer than version 1\.35"):
            upgraded.eks.update_cluster_version(name="ml", version="1.35")
        upgraded.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", version="1.35")
        upgraded.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", version="1.36")
        upgraded.eks.update_cluster_version(name="ml", version="1.35", force=True)
    assert _version(upgraded)[0] == "1.35"


def test_nodes_do_not_go_back_once_the_window_is_closed(upgraded: World):
    with time_machine.travel(_UPGRADED + timedelta(days=8), tick=False):
        upgraded.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", version="1.36")
        with pytest.raises(ClientError, match=r"version 1\.35 is not valid"):
            upgraded.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", version="1.35")


def test_a_version_in_extended_support_needs_the_policy_for_it(world: World):
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=False):
        world.cluster(version="1.33", upgradePolicy={"supportType": "STANDARD"})
        world.eks.update_cluster_version(name="ml", version="1.34")
        with pytest.raises(ClientError, match="set the cluster's upgrade policy to EXTENDED first"):
            world.eks.update_cluster_version(name="ml", version="1.33", force=True)
        world.eks.update_cluster_config(name="ml", upgradePolicy={"supportType": "EXTENDED"})
        world.eks.update_cluster_version(name="ml", version="1.33")
    assert _version(world)[0] == "1.33"


def test_a_restart_remembers_the_day_of_the_upgrade(upgraded: World):
    upgraded.emulated.restart()
    with time_machine.travel(_UPGRADED + timedelta(days=6), tick=False):
        upgraded.eks.update_cluster_version(name="ml", version="1.35")
    upgraded.emulated.restart()
    assert _version(upgraded)[0] == "1.35"
