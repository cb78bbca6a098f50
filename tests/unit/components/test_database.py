"""The MLflow database: private, encrypted, TLS only, recoverable."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.database.arguments import DatabaseArgs
from components.database.database import Database
from components.database.spec import DatabaseSpec
from mlp.recording import Deploy, Recorded, RecordingCloud

from .policies import PREFIX, given

INSTANCE, GROUP = "aws:rds/instance:Instance", "aws:ec2/securityGroup:SecurityGroup"
INGRESS, LOGS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:cloudwatch/logGroup:LogGroup"


def spec(**changes: Any) -> DatabaseSpec:
    return DatabaseSpec(**given({"instance_class": "db.t4g.medium", "engine_version": "15.18"}, changes))


def args(spec: DatabaseSpec, **changes: Any) -> DatabaseArgs:
    return DatabaseArgs(
        **given(
            {
                "spec": spec,
                "prefix": PREFIX,
                "vpc_id": "vpc-1",
                "subnet_ids": ["subnet-1", "subnet-2"],
                "storage_key_arn": "arn:storage-key",
                "secret_key_arn": "arn:secret-key",
                "logs_key_arn": "arn:logs-key",
            },
            changes,
        )
    )


def database(deploy: Deploy, **changes: Any) -> tuple[Database, RecordingCloud]:
    return deploy(lambda: Database("database", args(spec(**changes))))


def instance(deploy: Deploy, **changes: Any) -> Recorded:
    _, cloud = database(deploy, **changes)
    [only] = cloud.of_type(INSTANCE)
    return only


def test_the_database_calls_nobody(deploy: Deploy):
    _, cloud = database(deploy)
    assert cloud.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") == []
    [group] = cloud.of_type(GROUP)
    assert not {"ingress", "egress"} & set(group.inputs), "inline rules compete with rule resources"


def test_without_clients_nothing_is_open(deploy: Deploy):
    _, cloud = database(deploy)
    assert cloud.of_type(INGRESS) == []


def test_the_master_password_is_never_in_the_program(deploy: Deploy):
    inputs = instance(deploy).inputs
    assert inputs["manageMasterUserPassword"] is True
    assert inputs["masterUserSecretKmsKeyId"] == "arn:secret-key"
    assert not {"password", "passwordWo", "passwordWoVersion"} & set(inputs)


def test_everything_that_is_stored_is_encrypted_with_the_given_keys(deploy: Deploy):
    _, cloud = database(deploy)
    inputs = cloud.of_type(INSTANCE)[0].inputs
    assert inputs["storageEncrypted"] is True
    assert inputs["kmsKeyId"] == inputs["performanceInsightsKmsKeyId"] == "arn:storage-key"
    assert {group.inputs["kmsKeyId"] for group in cloud.of_type(LOGS)} == {"arn:logs-key"}


def test_clients_must_use_tls_and_the_instance_is_not_public(deploy: Deploy):
    _, cloud = database(deploy)
    [group] = cloud.of_type("aws:rds/parameterGroup:ParameterGroup")
    parameters = {parameter["name"]: parameter["value"] for parameter in group.inputs["parameters"]}
    assert parameters["rds.force_ssl"] == "1"
    inputs = cloud.of_type(INSTANCE)[0].inputs
    assert inputs["publiclyAccessible"] is False
    assert inputs["caCertIdentifier"] == "rds-ca-rsa2048-g1"
    assert inputs["iamDatabaseAuthenticationEnabled"] is True


def test_log_groups_exist_before_the_instance_exports_to_them(deploy: Deploy):
    _, cloud = database(deploy, log_retention_days=90)
    groups = {group.inputs["name"]: group for group in cloud.of_type(LOGS)}
    [created] = cloud.of_type(INSTANCE)
    identifier, exports = created.inputs["identifier"], created.inputs["enabledCloudwatchLogsExports"]
    assert set(groups) == {f"/aws/rds/instance/{identifier}/{export}" for export in exports}
    for group in groups.values():
        assert group.inputs["retentionInDays"] == 90
        assert group.urn in created.depends_on


@pytest.mark.parametrize(("version", "family"), [("15.18", "postgres15"), ("16.14", "postgres16")])
def test_the_parameter_family_follows_the_engine(deploy: Deploy, version: str, family: str):
    _, cloud = database(deploy, engine_version=version)
    [group] = cloud.of_type("aws:rds/parameterGroup:ParameterGroup")
    assert group.inputs["family"] == family
    assert cloud.of_type(INSTANCE)[0].inputs["engineVersion"] == version


def test_aws_does_not_upgrade_the_pinned_minor_version(deploy: Deploy):
    assert instance(deploy).inputs["autoMinorVersionUpgrade"] is False


def test_a_guarded_database_leaves_a_snapshot_and_its_backups(deploy: Deploy):
    inputs = instance(deploy, backup_days=35).inputs
    assert inputs["deletionProtection"] is True
    assert inputs["skipFinalSnapshot"] is False
    assert inputs["finalSnapshotIdentifier"] == f"{PREFIX}-mlflow-final"
    assert inputs["deleteAutomatedBackups"] is False
    assert inputs["backupRetentionPeriod"] == 35
    assert inputs["copyTagsToSnapshot"] is True


def test_a_throw_away_database_leaves_nothing(deploy: Deploy):
    inputs = instance(deploy, deletion_protection=False, skip_final_snapshot=True).inputs
    assert inputs["deletionProtection"] is False
    assert inputs["skipFinalSnapshot"] is True
    assert "finalSnapshotIdentifier" not in inputs
    assert inputs["deleteAutomatedBackups"] is True


def test_storage_grows_to_its_limit_and_zones_are_as_asked(deploy: Deploy):
    inputs = instance(deploy, allocated_storage_gb=50, max_storage_gb=200, multi_az=True).inputs
    assert (inputs["storageType"], inputs["allocatedStorage"], inputs["maxAllocatedStorage"]) == ("gp3", 50, 200)
    assert inputs["multiAz"] is True


def test_users_of_the_database_learn_where_its_secret_is(deploy: Deploy):
    result, _ = database(deploy)
    seen: list[str] = []
    result.handle.master_secret_arn.apply(seen.append)
    deploy(lambda: None)
    assert seen == ["arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-database-instance"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subnet_ids": ["subnet-1"]}, "subnet_ids must name subnets of at least two zones, got 1"),
        ({"prefix": "9lives"}, "prefix must be 2 to 30 characters.*got '9lives'"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        args(spec(), **changes)


@pytest.mark.parametrize(
    ("field", "value", "fix"),
    [
        ("instance_class", "t4g.medium", "write db.<family>.<size> with a family of t3, t4g"),
        ("engine_version", "latest", "write major and minor version in quotes"),
        ("log_retention_days", 31, "CloudWatch keeps logs for fixed periods only, write 30"),
    ],
)
def test_bad_values_of_the_section_name_the_field_the_value_and_the_fix(field: str, value: Any, fix: str):
    with pytest.raises(ValidationError, match=fix) as refused:
        spec(**{field: value})
    [error] = refused.value.errors()
    assert (error["loc"], error["input"]) == ((field,), value)


def test_changes_wait_for_the_maintenance_window_unless_asked_otherwise(deploy: Deploy):
    assert instance(deploy).inputs["applyImmediately"] is False
    assert instance(deploy, apply_immediately=True).inputs["applyImmediately"] is True
