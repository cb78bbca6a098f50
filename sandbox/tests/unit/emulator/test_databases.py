"""The state that data planes are asked to run, and the effect of their reports on the API."""

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from moto.rds.models import rds_backends

from mlp_sandbox.contracts.desired import DatabaseDataPlane, DatabaseInstance, DatabaseNetwork, DataPlaneStatus
from mlp_sandbox.emulator import databases, services
from mlp_sandbox.emulator.databases import Databases, desired_databases
from mlp_sandbox.emulator.services.rds import instances as rds_extension


class Recorder:
    """A data plane stub that records the requested state."""

    def __init__(self) -> None:
        self.asked: list[list[DatabaseInstance]] = []
        self.answers: dict[str, DataPlaneStatus] = {}
        self.called = threading.Event()
        self.closed = False

    def reconcile(self, desired: Sequence[DatabaseInstance]) -> None:
        self.asked.append(list(desired))
        self.called.set()

    def status(self, resource_id: str) -> DataPlaneStatus:
        return self.answers.get(resource_id, DataPlaneStatus(state="creating"))

    def abandon(self) -> None:
        """Do nothing: there are no processes."""

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "sandbox")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("rds", region_name="us-east-1")


def _create(rds: Any, **changes: Any) -> None:
    sent = {
        "DBInstanceIdentifier": "mlflow",
        "DBInstanceClass": "db.t4g.micro",
        "Engine": "postgres",
        "EngineVersion": "16.11",
        "MasterUsername": "mlflow",
        "MasterUserPassword": "sent-password",
        "AllocatedStorage": 20,
        "DBName": "tracking",
        "Port": 5433,
    }
    rds.create_db_instance(**sent | changes)


def test_an_instance_is_asked_for_with_its_parameters_and_password(rds: Any):
    rds.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="d")
    parameters = [{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}]
    rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=parameters)
    _create(rds, DBParameterGroupName="own", MultiAZ=True)
    [described] = rds.describe_db_instances()["DBInstances"]
    assert desired_databases() == [
        DatabaseInstance(
            identifier="mlflow",
            resource_id=described["DbiResourceId"],
            running=True,
            engine_version="16.11",
            port=5433,
            db_name="tracking",
            master_username="mlflow",
            master_password="sent-password",
            parameters={"rds.force_ssl": "0"},
            tls_forced=False,
            allocated_storage=20,
            multi_az=True,
        )
    ]


def test_an_instance_in_a_subnet_group_has_its_zones_subnet_first_and_knows_what_is_taken(rds: Any):
    ec2 = boto3.client("ec2", region_name="us-east-1")
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    ranges = {"us-east-1a": "10.10.8.0/24", "us-east-1b": "10.10.9.0/24"}
    subnets = {
        zone: ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for zone, cidr in ranges.items()
    }
    interface = ec2.create_network_interface(SubnetId=subnets["us-east-1a"])["NetworkInterface"]
    rds.create_db_subnet_group(DBSubnetGroupName="own", DBSubnetGroupDescription="d", SubnetIds=list(subnets.values()))
    _create(rds, DBSubnetGroupName="own", AvailabilityZone="us-east-1b")
    assert [instance.network for instance in desired_databases()] == [
        DatabaseNetwork(
            vpc_id=vpc,
            subnets=("10.10.9.0/24", "10.10.8.0/24"),
            taken=frozenset({interface["PrivateIpAddress"]}),
        )
    ]


def test_a_stopped_instance_stays_listed_and_does_not_run(rds: Any):
    _create(rds)
    rds.stop_db_instance(DBInstanceIdentifier="mlflow")
    assert [(item.identifier, item.running) for item in desired_databases()] == [("mlflow", False)]
    rds.start_db_instance(DBInstanceIdentifier="mlflow")
    assert [(item.identifier, item.running) for item in desired_databases()] == [("mlflow", True)]


def test_an_identifier_that_is_given_again_is_another_instance(rds: Any):
    services.load()
    resource_ids: set[str] = set()
    for _ in range(2):
        _create(rds)
        resource_ids.update(item.resource_id for item in desired_databases())
        rds.delete_db_instance(DBInstanceIdentifier="mlflow", SkipFinalSnapshot=True)
    assert len(resource_ids) == 2


def test_tls_is_forced_from_postgres_15_unless_a_parameter_says_otherwise(rds: Any):
    _create(rds)
    _create(rds, DBInstanceIdentifier="old", EngineVersion="14.9")
    assert {item.identifier: item.tls_forced for item in desired_databases()} == {"mlflow": True, "old": False}


def test_a_managed_password_is_the_one_in_the_secret(rds: Any):
    rds_secret: dict[str, Any] = {"ManageMasterUserPassword": True}
    sent = {
        "DBInstanceIdentifier": "managed",
        "DBInstanceClass": "db.t4g.micro",
        "Engine": "postgres",
        "EngineVersion": "16.11",
        "MasterUsername": "mlflow",
        "AllocatedStorage": 20,
    }
    rds.create_db_instance(**sent | rds_secret)
    [described] = rds.describe_db_instances()["DBInstances"]
    secrets = cast(Any, boto3.client("secretsmanager", region_name="us-east-1"))
    content = json.loads(secrets.get_secret_value(SecretId=described["MasterUserSecret"]["SecretArn"])["SecretString"])
    [instance] = desired_databases()
    assert instance.master_password == content["password"]
    assert instance.master_password not in repr(instance)


def test_only_postgres_is_asked_for(rds: Any):
    _create(rds, Engine="mysql", EngineVersion="8.0", Port=3306)
    assert desired_databases() == []


def test_reconciling_happens_at_start_and_in_the_background_after_writes(rds: Any):
    plane = Recorder()
    running = Databases(threading.RLock())
    running.register(plane)
    assert isinstance(plane, DatabaseDataPlane)
    running.start()
    assert plane.asked == [[]]
    _create(rds)
    plane.called.clear()
    running.request_reconcile()
    assert plane.called.wait(timeout=5)
    assert [item.identifier for item in plane.asked[-1]] == ["mlflow"]
    running.close()
    assert plane.closed


def test_a_data_plane_that_fails_is_asked_again(rds: Any, caplog: pytest.LogCaptureFixture):
    plane = Recorder()
    plane.reconcile = lambda desired: (plane.asked.append(list(desired)), 1 / 0)[0]  # type: ignore[method-assign]
    running = Databases(threading.RLock())
    running.register(plane)
    running.start()
    running.request_reconcile()
    running.close()
    assert plane.asked
    assert "could not be brought in step" in caplog.text
    assert rds_backends is not None


@pytest.mark.parametrize(
    ("told", "answer", "status", "address"),
    [
        ("available", DataPlaneStatus(state="creating"), "creating", None),
        ("available", DataPlaneStatus(state="available", address="127.0.0.9", port=5433), "available", "127.0.0.9"),
        ("available", DataPlaneStatus(state="stopped", address="127.0.0.9", port=5433), "starting", "127.0.0.9"),
        ("available", DataPlaneStatus(state="failed", reason="no disk"), "failed", None),
        ("available", None, "available", "mlflow.aws"),
        ("stopped", DataPlaneStatus(state="available", address="127.0.0.9", port=5433), "stopping", "127.0.0.9"),
        ("stopped", DataPlaneStatus(state="stopped", address="127.0.0.9", port=5433), "stopped", "127.0.0.9"),
        ("stopped", None, "stopped", "mlflow.aws"),
    ],
)
def test_the_api_shows_what_the_data_plane_answers(
    monkeypatch: pytest.MonkeyPatch, told: str, answer: DataPlaneStatus | None, status: str, address: str | None
):
    class Remembering:
        def remembered(self, _kind: str) -> dict[str, Any]:
            return {}

    plane = Recorder()
    running = Databases(threading.RLock())
    if answer is not None:
        plane.answers["db-ONE"] = answer
        running.register(plane)
    monkeypatch.setattr(databases, "CURRENT", running)
    described = {
        "DBInstanceIdentifier": "mlflow",
        "Engine": "postgres",
        "DbiResourceId": "db-ONE",
        "DBInstanceStatus": told,
        "Endpoint": {"Address": "mlflow.aws", "Port": 5433},
    }
    shown = rds_extension._shown(cast(Any, Remembering()), described)
    assert shown["DBInstanceStatus"] == status
    assert shown.get("Endpoint", {}).get("Address") == address
    assert shown.get("Endpoint", {}).get("Port") == (5433 if address else None)
