"""RDS instances changed in place: fields read back at once, or as pending until the maintenance window."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

WAITING = {
    "DBInstanceClass": "db.t4g.small",
    "AllocatedStorage": 30,
    "MultiAZ": True,
    "EngineVersion": "16.13",
    "Iops": 4000,
    "StorageThroughput": 200,
    "CACertificateIdentifier": "rds-ca-rsa4096-g1",
    "DedicatedLogVolume": True,
}
AT_ONCE = {
    "BackupRetentionPeriod": 9,
    "PreferredBackupWindow": "01:00-02:00",
    "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
    "AutoMinorVersionUpgrade": False,
    "CopyTagsToSnapshot": True,
    "DeletionProtection": False,
    "MaxAllocatedStorage": 200,
    "PubliclyAccessible": True,
    "DatabaseInsightsMode": "advanced",
    "NetworkType": "DUAL",
    "PerformanceInsightsRetentionPeriod": 93,
}


@pytest.fixture
def rds(client: Callable[[str], Any]) -> Any:
    return client("rds")


@pytest.fixture
def instance(rds: Any) -> Iterator[str]:
    made = rds.create_db_instance(
        DBInstanceIdentifier="changing",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        EngineVersion="16.12",
        MasterUsername="mlflow",
        ManageMasterUserPassword=True,
        AllocatedStorage=20,
        StorageType="gp3",
        MaxAllocatedStorage=100,
        BackupRetentionPeriod=7,
        PreferredBackupWindow="03:00-04:00",
        PreferredMaintenanceWindow="mon:05:00-mon:06:00",
        EnablePerformanceInsights=True,
        EnableCloudwatchLogsExports=["postgresql"],
    )["DBInstance"]
    yield "changing"
    for found in rds.describe_db_instances()["DBInstances"]:
        if found["DbiResourceId"] == made["DbiResourceId"]:
            rds.delete_db_instance(DBInstanceIdentifier=found["DBInstanceIdentifier"], SkipFinalSnapshot=True)


def _read(rds: Any, name: str = "changing") -> dict[str, Any]:
    [found] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return found


@pytest.mark.usefixtures("instance")
@pytest.mark.parametrize("at_once", [True, False])
def test_what_never_waits_reads_back_as_sent(
    client: Callable[[str], Any], rds: Any, at_once: bool, subnets: list[str], vpc: str
):
    group = client("ec2").create_security_group(GroupName=f"db-{at_once}", Description="d", VpcId=vpc)["GroupId"]
    own = f"own-{at_once}".lower()
    rds.create_db_parameter_group(DBParameterGroupName=own, DBParameterGroupFamily="postgres16", Description="d")
    answer = rds.modify_db_instance(
        DBInstanceIdentifier="changing",
        ApplyImmediately=at_once,
        VpcSecurityGroupIds=[group],
        DBParameterGroupName=own,
        DBPortNumber=5444,
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["upgrade"], "DisableLogTypes": ["iam-db-auth-error"]},
        **AT_ONCE,
    )["DBInstance"]
    assert answer["PendingModifiedValues"] == {}
    read = _read(rds)
    assert AT_ONCE.items() <= read.items()
    assert [item["VpcSecurityGroupId"] for item in read["VpcSecurityGroups"]] == [group]
    assert read["DBParameterGroups"][0]["DBParameterGroupName"] == own
    assert read["Endpoint"]["Port"] == 5444
    assert read["EnabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    rds.modify_db_instance(DBInstanceIdentifier="changing", DBParameterGroupName="default.postgres16")
    assert _read(rds)["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres16"


@pytest.mark.usefixtures("instance")
def test_what_may_wait_reads_back_as_sent_when_it_is_applied_immediately(rds: Any):
    rds.modify_db_instance(DBInstanceIdentifier="changing", ApplyImmediately=True, **WAITING)
    read = _read(rds)
    assert WAITING.items() <= read.items()
    assert read["PendingModifiedValues"] == {}


@pytest.mark.usefixtures("instance")
def test_what_may_wait_is_pending_until_somebody_applies_it(rds: Any):
    before = _read(rds)
    answer = rds.modify_db_instance(DBInstanceIdentifier="changing", EnableIAMDatabaseAuthentication=True, **WAITING)
    pending = WAITING | {"IAMDatabaseAuthenticationEnabled": True}
    read = _read(rds)
    assert read["PendingModifiedValues"] == answer["DBInstance"]["PendingModifiedValues"] == pending
    for name in pending:
        assert read.get(name) == before.get(name), name
    rds.modify_db_instance(DBInstanceIdentifier="changing", DBInstanceClass="db.t4g.micro", DeletionProtection=False)
    del pending["DBInstanceClass"]
    assert _read(rds)["PendingModifiedValues"] == pending
    rds.modify_db_instance(DBInstanceIdentifier="changing", ApplyImmediately=True)
    read = _read(rds)
    assert pending.items() <= read.items()
    assert read["PendingModifiedValues"] == {}
    assert read["DBInstanceClass"] == "db.t4g.micro"


@pytest.mark.usefixtures("instance")
def test_switching_backups_off_waits_and_changing_their_age_does_not(rds: Any):
    rds.modify_db_instance(DBInstanceIdentifier="changing", BackupRetentionPeriod=14)
    assert _read(rds)["BackupRetentionPeriod"] == 14
    rds.modify_db_instance(DBInstanceIdentifier="changing", BackupRetentionPeriod=0)
    assert _read(rds)["BackupRetentionPeriod"] == 14
    assert _read(rds)["PendingModifiedValues"] == {"BackupRetentionPeriod": 0}


@pytest.mark.usefixtures("instance")
def test_a_new_type_of_storage_comes_with_its_own_speed(rds: Any):
    rds.modify_db_instance(DBInstanceIdentifier="changing", StorageType="gp2", ApplyImmediately=True)
    assert not {"Iops", "StorageThroughput"} & _read(rds).keys()
    change = {"StorageType": "gp3", "StorageThroughput": 300}
    rds.modify_db_instance(DBInstanceIdentifier="changing", ApplyImmediately=True, **change)
    assert {"Iops": 3000, **change}.items() <= _read(rds).items()


def test_a_renamed_instance_keeps_its_secret_tags_and_settings(rds: Any, instance: str):
    before = _read(rds, instance)
    rds.add_tags_to_resource(ResourceName=before["DBInstanceArn"], Tags=[{"Key": "k", "Value": "v"}])
    rds.modify_db_instance(DBInstanceIdentifier="changing", NewDBInstanceIdentifier="Renamed")
    assert _read(rds)["PendingModifiedValues"] == {"DBInstanceIdentifier": "renamed"}
    rds.modify_db_instance(DBInstanceIdentifier="changing", NewDBInstanceIdentifier="Renamed", ApplyImmediately=True)
    read = _read(rds, "renamed")
    assert read["DbiResourceId"] == before["DbiResourceId"]
    assert read["MasterUserSecret"] == before["MasterUserSecret"]
    assert read["PerformanceInsightsEnabled"] is True
    assert read["DBInstanceArn"].endswith(":db:renamed")
    assert rds.list_tags_for_resource(ResourceName=read["DBInstanceArn"])["TagList"] == [{"Key": "k", "Value": "v"}]
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        _read(rds)
    rds.create_db_instance(
        DBInstanceIdentifier="changing",  # at once, in the minute that names the automated snapshot of the other one
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="u",
        MasterUserPassword="long-enough",
        AllocatedStorage=20,
    )
    rds.delete_db_instance(DBInstanceIdentifier="changing", SkipFinalSnapshot=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"NewDBInstanceIdentifier": "-no"}, "not a valid identifier"),
        ({"NewDBInstanceIdentifier": "../no"}, "not a valid identifier"),
        ({"EngineVersion": "17.7"}, "AllowMajorVersionUpgrade flag must be present"),
        ({"EngineVersion": "16.11"}, "Cannot upgrade postgres from 16.12 to 16.11"),
        ({"DBSubnetGroupName": "nowhere"}, "DBSubnetGroupNotFoundFault"),
        ({"NewDBInstanceIdentifier": "other", "DBParameterGroupName": "nowhere"}, "DBParameterGroupNotFound"),
        ({"DBInstanceClass": "db.t4g.small", "MaxAllocatedStorage": 5}, "Max storage size"),
        ({"DBPortNumber": 1234, "PreferredBackupWindow": "05:30-06:30"}, "must not overlap"),
    ],
)
def test_a_refused_change_changes_nothing(rds: Any, instance: str, change: dict[str, Any], message: str):
    before = _read(rds, instance)
    with pytest.raises(ClientError, match=message):
        rds.modify_db_instance(DBInstanceIdentifier=instance, ApplyImmediately=True, **change)
    after = _read(rds, instance)
    del before["LatestRestorableTime"], after["LatestRestorableTime"]
    assert after == before


def test_a_name_that_another_instance_has_is_refused(rds: Any, instance: str):
    rds.create_db_instance(
        DBInstanceIdentifier="neighbour",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="u",
        MasterUserPassword="long-enough",
        AllocatedStorage=20,
    )
    with pytest.raises(ClientError, match="DBInstanceAlreadyExists"):
        rds.modify_db_instance(DBInstanceIdentifier=instance, NewDBInstanceIdentifier="neighbour")
    rds.delete_db_instance(DBInstanceIdentifier="neighbour", SkipFinalSnapshot=True)


def test_asking_again_for_a_managed_password_keeps_the_secret(rds: Any, instance: str, key: str):
    before = _read(rds, instance)["MasterUserSecret"]
    rds.modify_db_instance(DBInstanceIdentifier=instance, ManageMasterUserPassword=True, MasterUserSecretKmsKeyId=key)
    after = _read(rds, instance)["MasterUserSecret"]
    assert after["SecretArn"] == before["SecretArn"]
    assert after["KmsKeyId"] == key
