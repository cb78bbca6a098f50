"""The committed environments, deployed for real: the main promise of the project."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mlp_sandbox import processes
from mlp_sandbox.engine.stacks import stack_names
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import Box, eventually
from tests.environments.committed.conftest import ENVIRONMENTS
from tests.environments.environment_copy import EnvironmentCopy, copy_project

pytestmark = pytest.mark.timeout(900)
# Previews of a changed environment take two minutes: those of the others are for `make test-long`.
DEV_AND_LONG_OTHERS = ("dev", *(pytest.param(stack, marks=pytest.mark.long) for stack in ENVIRONMENTS[1:]))
COMMITTED = {path: path.read_text() for path in (PROJECT / "stacks").glob("*.yaml")}


def physical(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [r for r in resources if r.get("custom") and r["type"].startswith("aws:")]


def test_every_committed_environment_is_one_of_those_tested() -> None:
    assert set(stack_names()) == set(ENVIRONMENTS)


@pytest.mark.parametrize("stack", ENVIRONMENTS)
def test_a_second_preview_shows_no_change_even_after_a_refresh(account: Box, stack: str) -> None:
    account.pulumi("preview", "--stack", stack, "--expect-no-changes", "--refresh")


@pytest.mark.parametrize("stack", DEV_AND_LONG_OTHERS)
def test_a_label_of_a_node_group_changes_in_place_and_its_instance_type_replaces_that_group_alone(
    account: Box, stack: str, tmp_path: Path
) -> None:
    copy = EnvironmentCopy(account, tmp_path / "project", stack)
    copy_project(copy.folder)
    committed = copy.stack_file.read_text()
    copy.change(cluster__general_pool__labels={"example.com/team": "vision"})
    assert copy.planned() == {"nodes-general-group": "update"}
    copy.stack_file.write_text(committed)
    copy.change(cluster__general_pool__instance_types=["m7i.4xlarge"])
    assert copy.planned() == {"nodes-general-group": "replace"}
    copy.stack_file.write_text(committed)
    copy.change(cluster__gpu_pools__l4__instance_types=["g6.16xlarge"])
    plan = copy.planned()
    assert plan["nodes-l4-group"] == "replace"
    # What the autoscaler reads of an empty group is written on its Auto Scaling group, which is another one then.
    assert all(name.startswith("nodes-l4-") for name in plan)


@pytest.mark.usefixtures("account")
def test_deploying_leaves_the_committed_files_as_they_were() -> None:
    assert {path: path.read_text() for path in (PROJECT / "stacks").glob("*.yaml")} == COMMITTED


def test_the_database_answers_with_the_managed_secret_over_tls(account: Box) -> None:
    (instance,) = [r for r in physical(account.export("dev")) if r["type"] == "aws:rds/instance:Instance"]
    outputs = instance["outputs"]
    secret = account.client("secretsmanager").get_secret_value(SecretId=outputs["masterUserSecrets"][0]["secretArn"])
    login = json.loads(secret["SecretString"])
    where = {"host": outputs["address"], "port": outputs["port"], "dbname": outputs["dbName"]}
    with psycopg.connect(
        **where, user=login["username"], password=login["password"], sslmode="require", connect_timeout=10
    ) as connection:
        assert connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            **where, user=login["username"], password=login["password"], sslmode="disable", connect_timeout=10
        )


@pytest.mark.long
def test_after_a_kill_of_the_emulator_everything_is_as_it_was(account: Box) -> None:
    pid = processes.running(account.instance.home / "emulator.pid")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: processes.running(account.instance.home / "emulator.pid") is None, "it is gone")
    account.up()
    for stack in ENVIRONMENTS:
        account.pulumi("preview", "--stack", stack, "--expect-no-changes", "--refresh")


def test_ordinary_aws_commands_work_in_the_environment(account: Box) -> None:
    buckets = account.run("aws", "s3", "ls").stdout
    assert "data-lake" in buckets
    vpcs = json.loads(account.run("aws", "ec2", "describe-vpcs", "--output", "json").stdout)["Vpcs"]
    tagged = [vpc for vpc in vpcs if {"Key": "environment", "Value": "dev"} in vpc.get("Tags", [])]
    assert len(tagged) == 1


def test_the_aws_command_never_leaves_the_sandbox(account: Box) -> None:
    # Version 1 sends these services to AWS itself in us-east-1, unless told otherwise.
    found = account.run("aws", "rds", "describe-db-instances", "--query", "DBInstances[].DBInstanceIdentifier").stdout
    assert "ml-platform-dev-mlflow" in found


def test_no_secret_value_is_in_the_exported_state(account: Box, tmp_path: Path) -> None:
    exported = tmp_path / "state.json"
    account.pulumi("stack", "export", "--stack", "dev", "--show-secrets", "--file", str(exported))
    manager = account.client("secretsmanager")
    passwords = [
        json.loads(manager.get_secret_value(SecretId=entry["ARN"])["SecretString"])["password"]
        for entry in manager.list_secrets()["SecretList"]
        if entry["Name"].startswith("rds!")
    ]
    assert len(passwords) == len(ENVIRONMENTS)
    assert not [password for password in passwords if password in exported.read_text()]


def test_prod_refuses_to_be_destroyed_names_what_is_protected_and_loses_nothing(account: Box) -> None:
    before = account.export("prod")
    said = account.pulumi("destroy", "--stack", "prod", "--yes", ok=False)
    assert "cannot be deleted" in said
    for protected in ("aws:rds/instance:Instance", "aws:s3/bucketPublicAccessBlock", "aws:kms/alias:Alias"):
        assert protected in said
    assert account.export("prod") == before


def test_destroying_dev_leaves_nothing_that_carries_its_tags(account: Box) -> None:
    tag = {"Key": "environment", "Values": ["dev"]}
    tagging = account.client("resourcegroupstaggingapi")
    account.pulumi("destroy", "--stack", "dev", "--yes", "--skip-preview")
    assert physical(account.export("dev")) == []
    left = [item["ResourceARN"] for item in tagging.get_resources(TagFilters=[tag])["ResourceTagMappingList"]]
    keys = account.client("kms")
    # A KMS key is never gone at once: AWS keeps it for its deletion window.
    left = [arn for arn in left if ":kms:" not in arn or _in_use(keys, arn)]
    ec2 = account.client("ec2")
    # Nor is an instance: AWS shows it as terminated, with its tags, for about an hour.
    terminated = _terminated(ec2)
    assert [arn for arn in left if arn.rpartition("/")[2] not in terminated] == []
    found = ec2.describe_tags(
        Filters=[{"Name": "key", "Values": ["environment"]}, {"Name": "value", "Values": ["dev"]}]
    )["Tags"]
    assert [tag for tag in found if tag["ResourceId"] not in terminated] == []


def _terminated(ec2: Any) -> set[str]:
    state = [{"Name": "instance-state-name", "Values": ["terminated"]}]
    found = ec2.describe_instances(Filters=state)["Reservations"]
    return {instance["InstanceId"] for reservation in found for instance in reservation["Instances"]}


def _in_use(keys: Any, arn: str) -> bool:
    return keys.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] != "PendingDeletion"
