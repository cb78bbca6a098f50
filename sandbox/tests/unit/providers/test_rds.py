"""RDS groups and instances through their lives."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Aws, Handler, Props
from mlp_sandbox.providers.aws.services import _waiting
from mlp_sandbox.providers.aws.services.rds.groups import HANDLERS, ParameterGroup, SubnetGroup
from mlp_sandbox.providers.aws.services.rds.instance import HANDLERS as INSTANCES
from mlp_sandbox.providers.aws.services.rds.instance import Instance
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers import network
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk

SMALL: dict[str, Any] = {
    "allocatedStorage": 20,
    "engine": "postgres",
    "engineVersion": "16.11",
    "instanceClass": "db.t4g.medium",
    "manageMasterUserPassword": True,
    "skipFinalSnapshot": True,
    "username": "mlflow",
}
# moto loses these; the emulator's extension keeps them
LOST_BY_MOTO = {
    *("performanceInsightsEnabled", "performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod"),
}


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """Start one account for all tests here: that takes moto a second. Each test uses its own names."""
    with mock_aws():
        yield


@pytest.fixture(autouse=True)
def one_instance_at_a_time() -> Iterator[None]:
    """Delete instances after each test: moto gives every instance the same resource id.

    In the sandbox the emulator's extension creates the ids.
    """
    yield
    rds = boto3.client("rds", "us-east-1")
    for instance in rds.describe_db_instances()["DBInstances"]:
        name = instance["DBInstanceIdentifier"]
        rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


@pytest.fixture
def subnets() -> list[str]:
    vpc = network.vpc()
    return [network.subnet(vpc), network.subnet(vpc, "10.0.2.0/24", "us-east-1b")]


@pytest.mark.parametrize("handler", [*HANDLERS, *INSTANCES], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_a_subnet_group_changes_its_tags_in_place(subnets: list[str]) -> None:
    inputs = {"name": "mlflow", "subnetIds": subnets, "tags": {"team": "ml"}}
    assert Life(SubnetGroup()).lives(inputs, {"name": "mlflow", "subnetIds": subnets[::-1]}) == "mlflow"


def test_a_subnet_group_sends_all_its_subnets_and_its_description() -> None:
    # recorded, because moto loses a subnet group that is modified; the emulator's extension keeps it
    sent = _sent_by_update(SubnetGroup, "mlflow", {"subnetIds": ["a"]}, {"subnetIds": ["b", "c"]}, {"subnetIds"})
    expected = {
        "DBSubnetGroupName": "mlflow",
        "DBSubnetGroupDescription": "Managed by Pulumi",
        "SubnetIds": ["b", "c"],
    }
    assert sent == [("modify_db_subnet_group", expected)]


def test_a_parameter_group_changes_parameters_in_place() -> None:
    fixed = {"name": "mlflow", "family": "postgres16", "description": "TLS only"}
    tls = {"name": "rds.force_ssl", "value": "1", "applyMethod": "immediate"}
    slow = {"name": "log_min_duration_statement", "value": "500"}
    life = Life(ParameterGroup())
    life.lives({**fixed, "parameters": [tls]}, {**fixed, "parameters": [slow, tls], "tags": {"a": "b"}})
    assert life.created == ["mlflow"]


def test_a_parameter_left_out_again_is_reset() -> None:
    # recorded, because moto forgets all parameters on a reset; the emulator's extension resets those that are named
    old = {"parameters": [{"name": "work_mem", "value": "4096"}]}
    sent = _sent_by_update(ParameterGroup, "mlflow", old, {}, {"parameters"})
    named = [{"ParameterName": "work_mem", "ApplyMethod": "immediate"}]
    expected = {"DBParameterGroupName": "mlflow", "ResetAllParameters": False, "Parameters": named}
    assert sent == [("reset_db_parameter_group", expected)]


def test_more_parameters_than_one_call_takes_are_sent_in_several() -> None:
    many = [{"name": f"parameter_{number}", "value": str(number)} for number in range(45)]
    life = Life(ParameterGroup())
    id = life.create(name="many", family="postgres16", parameters=many)
    assert len(life.live(id)["parameters"]) == 45


def test_skip_destroy_leaves_the_parameter_group() -> None:
    life = Life(ParameterGroup())
    id = life.create(name="kept", family="postgres16", skipDestroy=True)
    life.delete(id, skipDestroy=True)
    assert life.read(id) is not None


def test_an_instance_changes_class_storage_and_windows_in_place(subnets: list[str]) -> None:
    group = Life(SubnetGroup()).create(name="in-place", subnetIds=subnets)
    groups = [network.group(_vpc_of(subnets[0]))]
    inputs = {
        **SMALL,
        "identifier": "in-place",
        "dbName": "mlflow",
        "dbSubnetGroupName": group,
        "vpcSecurityGroupIds": groups,
        "storageEncrypted": True,
        "storageType": "gp3",
        "maxAllocatedStorage": 100,
        "backupRetentionPeriod": 7,
        "backupWindow": "03:00-04:00",
        "maintenanceWindow": "Sun:05:00-Sun:06:00",
        "performanceInsightsEnabled": True,
        "performanceInsightsRetentionPeriod": 7,
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "iamDatabaseAuthenticationEnabled": True,
        "copyTagsToSnapshot": True,
        "tags": {"team": "ml"},
    }
    changed = {
        **inputs,
        "enabledCloudwatchLogsExports": ["postgresql"],
        "instanceClass": "db.r6g.large",
        "allocatedStorage": 40,
        "multiAz": True,
        "tags": {"a": "b"},
    }
    # an import sees the window as AWS writes it, in lower case
    id = _life({*LOST_BY_MOTO, "maintenanceWindow"}).lives(inputs, changed)
    assert id.startswith("db-")


def test_the_id_is_the_resource_id_and_an_import_takes_the_identifier() -> None:
    life = _life()
    id = life.create(**SMALL, identifier="imported")
    assert life.created == [id]
    assert life.live("imported")["resourceId"] == id
    assert life.live(id)["identifier"] == "imported"


def test_an_instance_is_renamed_in_place() -> None:
    life = _life()
    old = {**SMALL, "identifier": "before"}
    id = life.create(**old)
    life.update(id, old, {**old, "identifier": "after"})
    assert life.live(id)["identifier"] == "after"


def test_the_master_secret_is_an_output_and_no_password_is() -> None:
    life = _life()
    live = life.live(life.create(**SMALL, identifier="secret"))
    (secret,) = live["masterUserSecrets"]
    assert secret["secretArn"].startswith("arn:aws:secretsmanager:us-east-1:")
    assert secret["secretStatus"] in ("creating", "active")
    assert not [name for name in live if "assword" in name and name != "manageMasterUserPassword"]
    assert live["endpoint"] == f"{live['address']}:{live['port']}"


def test_a_minor_version_satisfies_the_major_one_that_was_asked_for() -> None:
    life, inputs = _life(), {**SMALL, "identifier": "minor"}
    id = life.create(**inputs)
    wanted = {**inputs, "engineVersion": "16"}
    assert life.live(id, **wanted)["engineVersion"] == "16"
    assert life.live(id, **wanted)["engineVersionActual"] == "16.11"
    assert life.live(id, **{**inputs, "engineVersion": "1"})["engineVersion"] == "16.11"


def test_storage_that_grew_by_itself_is_no_drift() -> None:
    life, inputs = _life(), {**SMALL, "identifier": "grown", "maxAllocatedStorage": 100}
    id = life.create(**inputs)
    boto3.client("rds", "us-east-1").modify_db_instance(DBInstanceIdentifier="grown", AllocatedStorage=60)
    assert life.live(id, **inputs)["allocatedStorage"] == 20
    assert life.live(id, **{**inputs, "maxAllocatedStorage": 50})["allocatedStorage"] == 60


def test_an_instance_without_a_final_snapshot_is_deleted_only_when_that_was_said() -> None:
    life, inputs = _life(), {**SMALL, "identifier": "last", "skipFinalSnapshot": False}
    id = life.create(**inputs)
    with pytest.raises(ValueError, match="final_snapshot_identifier is required when skip_final_snapshot is false"):
        life.delete(id, **inputs)
    life.delete(id, **inputs, finalSnapshotIdentifier="last-words")
    assert life.read(id) is None
    snapshots = boto3.client("rds", "us-east-1").describe_db_snapshots(DBSnapshotIdentifier="last-words")
    assert len(snapshots["DBSnapshots"]) == 1


def test_deletion_protection_is_said_in_the_words_of_aws() -> None:
    life, inputs = _life(), {**SMALL, "identifier": "protected", "deletionProtection": True}
    id = life.create(**inputs)
    with pytest.raises(ClientError, match=r"deletion protection|Cannot delete protected"):
        life.delete(id, **inputs)
    life.update(id, inputs, {**inputs, "deletionProtection": False})
    life.delete(id, **inputs)
    assert life.read(id) is None


def test_waiting_ends_with_the_last_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "FIRST_PAUSE", 0.001)
    states = iter(["creating", "backing-up"])
    last = "backing-up"
    with pytest.raises(TimeoutError, match="DB instance x: the last status after 0 seconds is 'backing-up'"):
        _waiting.wait_until("DB instance x", lambda: next(states, last), ("available",), timeout=0.01)


def test_a_broken_instance_is_not_waited_for() -> None:
    states = iter(["creating", "incompatible-network"])
    with pytest.raises(ValueError, match="ended in status 'incompatible-network' instead of 'available'"):
        _waiting.wait_until(
            "DB instance x", lambda: next(states), ("available",), timeout=5, failed=("incompatible-network",)
        )


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    check = Instance().check
    fine = {**SMALL, "identifier": "x"}
    assert check(fine) == []
    assert "manageMasterUserPassword" in dict(check({**fine, "password": "hunter2"}))["password"]
    assert "set it" in dict(check({**fine, "manageMasterUserPassword": False}))["manageMasterUserPassword"]
    assert "give one of postgres" in dict(check({**fine, "engine": "mysql"}))["engine"]
    assert "0 to 35" in dict(check({**fine, "backupRetentionPeriod": 40}))["backupRetentionPeriod"]
    retention = dict(check({**fine, "performanceInsightsRetentionPeriod": 7}))
    assert "performanceInsightsEnabled" in retention["performanceInsightsRetentionPeriod"]
    assert "single hyphens" in dict(check({**fine, "finalSnapshotIdentifier": "a--b"}))["finalSnapshotIdentifier"]
    assert "lowercase" in dict(check({**fine, "identifier": "MLflow"}))["identifier"]
    assert "leave it out" in dict(check({**fine, "snapshotIdentifier": "x"}))["snapshotIdentifier"]
    parameters = [{"name": "work_mem", "value": "1", "applyMethod": "now"}]
    bad = ParameterGroup().check({"name": "x", "family": "postgres16", "parameters": parameters})
    assert "applyMethod of work_mem is 'now'" in dict(bad)["parameters"]


def test_values_that_are_not_known_yet_pass() -> None:
    unknown = {"kmsKeyId": UNKNOWN, "dbSubnetGroupName": UNKNOWN, "vpcSecurityGroupIds": [UNKNOWN]}
    assert Instance().check({**SMALL, **unknown, "identifier": "x", "engineVersion": UNKNOWN}) == []
    assert ParameterGroup().check({"name": "x", "family": UNKNOWN, "parameters": UNKNOWN}) == []
    assert SubnetGroup().check({"name": "x", "subnetIds": [UNKNOWN, UNKNOWN]}) == []


def _sent_by_update(handler: type[Handler], id: str, old: Props, new: Props, changed: set[str]) -> list[Any]:
    """Return the calls, by operation, that an update sends."""
    sent: list[Any] = []

    class Recorder:
        def __getattr__(self, operation: str) -> Any:
            return lambda **arguments: sent.append((operation, arguments))

    class Recorded(handler):
        def client(self, aws: Aws, props: Props) -> Any:
            return Recorder()

    Recorded().update(Aws("us-east-1"), id, old, new, changed)  # pyright: ignore[reportAbstractUsage]
    return sent


def _life(unread: Collection[str] = ()) -> Life:
    life = Life(Instance(), unread=unread)
    life.aws.timeout = 5.0
    return life


def _vpc_of(subnet: str) -> str:
    return str(network.ec2().describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"])
