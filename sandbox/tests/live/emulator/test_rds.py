"""RDS: every field reads back as sent and changes in place, and groups in use cannot be deleted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

SIZE = {"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}


@pytest.fixture
def rds(client: Callable[[str], Any]) -> Any:
    return client("rds")


@pytest.fixture(scope="session")
def groups(client: Callable[[str], Any], subnets: list[str]) -> None:
    client("rds").create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="d", SubnetIds=subnets)
    client("rds").create_db_parameter_group(
        DBParameterGroupName="tls", DBParameterGroupFamily="postgres16", Description="d"
    )


def _read(rds: Any, name: str) -> dict[str, Any]:
    [instance] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return instance


@pytest.mark.usefixtures("groups")
def test_an_instance_reads_back_as_sent_and_changes_in_place(client: Callable[[str], Any], rds: Any, key: str):
    sent = {
        "DBName": "mlflow",
        "StorageType": "gp3",
        "MaxAllocatedStorage": 100,
        "StorageEncrypted": True,
        "KmsKeyId": key,
        "MultiAZ": True,
        "BackupRetentionPeriod": 7,
        "PreferredBackupWindow": "03:00-04:00",
        "PreferredMaintenanceWindow": "mon:05:00-mon:06:00",
        "DeletionProtection": True,
        "CopyTagsToSnapshot": True,
        "CACertificateIdentifier": "rds-ca-rsa4096-g1",
        "AutoMinorVersionUpgrade": False,
        "MonitoringInterval": 60,
        "MonitoringRoleArn": "arn:aws:iam::123456789012:role/monitoring",
        "EngineVersion": "16.11",
        "Engine": "postgres",
        "MasterUsername": "mlflow",
        **SIZE,
    }
    made = rds.create_db_instance(
        DBInstanceIdentifier="whole",
        DBSubnetGroupName="data",
        DBParameterGroupName="tls",
        ManageMasterUserPassword=True,
        MasterUserSecretKmsKeyId=key,
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=key,
        PerformanceInsightsRetentionPeriod=31,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        Port=5433,
        **sent,
    )["DBInstance"]
    read = _read(rds, "whole")
    for answer in (made, read):
        assert sent.items() <= answer.items()
        assert answer["PerformanceInsightsEnabled"] is True
        assert answer["PerformanceInsightsKMSKeyId"] == key
        assert answer["PerformanceInsightsRetentionPeriod"] == 31
        assert (answer["Iops"], answer["StorageThroughput"]) == (3000, 125)
        assert answer["Endpoint"]["Port"] == 5433
        assert answer["MasterUserSecret"]["KmsKeyId"] == key
        assert answer["EnabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    secret = client("secretsmanager").get_secret_value(SecretId=read["MasterUserSecret"]["SecretArn"])
    content = json.loads(secret["SecretString"])
    assert content["username"] == "mlflow"
    assert len(content["password"]) == 28

    changes = {
        "DBInstanceClass": "db.t4g.small",
        "AllocatedStorage": 30,
        "MaxAllocatedStorage": 200,
        "BackupRetentionPeriod": 9,
        "MultiAZ": False,
        "DeletionProtection": False,
        "CopyTagsToSnapshot": False,
        "MonitoringInterval": 0,
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "Iops": 4000,
        "StorageThroughput": 200,
        "EngineVersion": "16.13",
    }
    rds.modify_db_instance(
        DBInstanceIdentifier="whole",
        ApplyImmediately=True,
        EnablePerformanceInsights=False,
        CloudwatchLogsExportConfiguration={"DisableLogTypes": ["upgrade"]},
        **changes,
    )
    read = _read(rds, "whole")
    assert changes.items() <= read.items()
    assert read["PerformanceInsightsEnabled"] is False
    assert "PerformanceInsightsKMSKeyId" not in read
    assert read["EnabledCloudwatchLogsExports"] == ["postgresql"]

    with pytest.raises(ClientError, match="InvalidDBSubnetGroupStateFault"):
        rds.delete_db_subnet_group(DBSubnetGroupName="data")
    with pytest.raises(ClientError, match="InvalidDBParameterGroupState"):
        rds.delete_db_parameter_group(DBParameterGroupName="tls")
    rds.delete_db_instance(DBInstanceIdentifier="whole", SkipFinalSnapshot=True)
    rds.delete_db_subnet_group(DBSubnetGroupName="data")
    rds.delete_db_parameter_group(DBParameterGroupName="tls")


def test_versions_that_aws_does_not_have_are_refused_with_its_message(rds: Any):
    with pytest.raises(ClientError, match=r"Cannot find version 99\.9 for postgres"):
        rds.create_db_instance(
            DBInstanceIdentifier="bogus",
            Engine="postgres",
            EngineVersion="99.9",
            MasterUsername="u",
            MasterUserPassword="long-enough",
            **SIZE,
        )


def test_a_refused_instance_leaves_no_password_secret_behind(client: Callable[[str], Any], rds: Any):
    before = client("secretsmanager").list_secrets()["SecretList"]
    with pytest.raises(ClientError, match="must not overlap"):
        rds.create_db_instance(
            DBInstanceIdentifier="refused",
            Engine="postgres",
            EngineVersion="16.11",
            MasterUsername="u",
            ManageMasterUserPassword=True,
            PreferredBackupWindow="03:00-04:00",
            PreferredMaintenanceWindow="mon:03:30-mon:04:30",
            **SIZE,
        )
    assert client("secretsmanager").list_secrets()["SecretList"] == before


def test_a_major_version_alone_means_its_newest_minor(rds: Any):
    newest = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15")["DBEngineVersions"][-1]
    made = rds.create_db_instance(
        DBInstanceIdentifier="major",
        Engine="postgres",
        EngineVersion="15",
        MasterUsername="u",
        MasterUserPassword="long-enough",
        **SIZE,
    )["DBInstance"]
    assert made["EngineVersion"] == newest["EngineVersion"]
    rds.delete_db_instance(DBInstanceIdentifier="major", SkipFinalSnapshot=True)


@pytest.mark.parametrize("major", ["15", "16", "17"])
def test_postgres_versions_name_their_family(rds: Any, major: str):
    versions = rds.describe_db_engine_versions(Engine="postgres", EngineVersion=major)["DBEngineVersions"]
    assert versions
    assert {version["DBParameterGroupFamily"] for version in versions} == {f"postgres{major}"}


def test_modified_parameters_are_listed_as_the_users_and_can_be_reset(rds: Any):
    rds.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="d")
    sent = [
        {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"},
        {"ParameterName": "max_connections", "ParameterValue": "100", "ApplyMethod": "pending-reboot"},
    ]
    rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=sent)
    read = rds.describe_db_parameters(DBParameterGroupName="own", Source="user")["Parameters"]
    assert [{name: item[name] for name in sent[0]} for item in read] == sent
    assert {item["Source"] for item in read} == {"user"}
    assert rds.describe_db_parameters(DBParameterGroupName="own", Source="system")["Parameters"] == []
    rds.reset_db_parameter_group(DBParameterGroupName="own", Parameters=sent[1:])
    left = rds.describe_db_parameters(DBParameterGroupName="own", Source="user")["Parameters"]
    assert [item["ParameterName"] for item in left] == ["rds.force_ssl"]
    with pytest.raises(ClientError, match="cannot use immediate apply method for static parameter max_connections"):
        rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=[{**sent[1], "ApplyMethod": "immediate"}])


def test_a_minor_version_that_aws_has_retired_is_neither_listed_nor_created_nor_upgraded_to(rds: Any):
    listed = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15")["DBEngineVersions"]
    assert [each["EngineVersion"] for each in listed] == ["15.15", "15.16", "15.17", "15.18"]
    made = {"DBInstanceIdentifier": "retired", "Engine": "postgres", **SIZE}
    login = {"MasterUsername": "u", "MasterUserPassword": "long-enough"}
    with pytest.raises(ClientError, match=r"Cannot find version 15\.14 for postgres"):
        rds.create_db_instance(**made, **login, EngineVersion="15.14")
    rds.create_db_instance(**made, **login, EngineVersion="15.15")
    try:
        with pytest.raises(ClientError, match=r"Cannot find version 16\.10 for postgres"):
            rds.modify_db_instance(DBInstanceIdentifier="retired", EngineVersion="16.10", AllowMajorVersionUpgrade=True)
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="retired", SkipFinalSnapshot=True)
