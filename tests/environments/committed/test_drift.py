"""A refresh detects changes made outside Pulumi, service by service, and the next `up` repairs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.testing.box import Box, MakeBox
from tests.environments.environment_copy import EnvironmentCopy, by_operation, deployed_copy

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]
ACCOUNT = "123456789012"
ANYBODY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
EXPIRE = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}]}
FEW_IMAGES = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}


@pytest.fixture(scope="module")
def environment(make_box: MakeBox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnvironmentCopy]:
    box = make_box("drift")
    yield deployed_copy(box, tmp_path_factory.mktemp("drift") / "project")
    lifecycle.down(box.instance)


@pytest.fixture
def state(environment: EnvironmentCopy) -> dict[str, dict[str, Any]]:
    """Return outputs and id by logical name."""
    exported = environment.box.export(environment.stack, environment.folder)
    found = {each["urn"].rsplit("::", 1)[1]: each for each in exported if each.get("custom")}
    return {name: {**each.get("outputs", {}), "id": each["id"]} for name, each in found.items()}


def test_changed_attributes_are_seen_and_mended(environment: EnvironmentCopy, state: dict[str, Any]) -> None:
    _change_network(environment.box.client("ec2"), state)
    _change_data(environment.box, state)
    _change_access(environment.box, state)
    environment.pulumi("refresh", "--yes", "--skip-preview")
    plan = environment.planned()
    assert {name for name, operation in plan.items() if operation == "update"} == {
        *("network-vpc", "network-private-a", "network-private-a-nat", "network-endpoints-from-vpc"),
        *("network-default", "network-intra-a-association", "network-flow-logs-group"),
        *("buckets-data-lake", "buckets-data-lake-lifecycle", "buckets-data-lake-policy"),
        *("database-instance", "database-parameters", "budget-monthly-cost", "secrets-grafana-admin-policy"),
        *("keys-data", "identities-deploy", "identities-read", "notifications-policy", "registry-mlflow"),
    }
    assert {name for name, operation in plan.items() if operation != "update"} == {"registry-mlflow-cleanup"}
    environment.up()
    environment.is_settled()
    (instance,) = environment.box.client("rds").describe_db_instances()["DBInstances"]
    assert instance["BackupRetentionPeriod"] == 1
    assert environment.box.client("kms").get_key_rotation_status(KeyId=state["keys-data"]["id"])["KeyRotationEnabled"]


def test_what_was_deleted_is_made_again(environment: EnvironmentCopy, state: dict[str, Any]) -> None:
    gone = _delete(environment.box, state)
    environment.pulumi("refresh", "--yes", "--skip-preview")
    plan = by_operation(environment.planned())
    assert plan["create"] >= gone
    assert not plan.keys() & {"delete"}
    environment.up()
    environment.is_settled()


def _change_network(ec2: Any, state: dict[str, Any]) -> None:
    ec2.modify_vpc_attribute(VpcId=state["network-vpc"]["id"], EnableDnsHostnames={"Value": False})
    ec2.modify_subnet_attribute(SubnetId=state["network-private-a"]["id"], MapPublicIpOnLaunch={"Value": True})
    rule = state["network-endpoints-from-vpc"]
    ports = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIpv4": "192.0.2.0/24"}
    ec2.modify_security_group_rules(
        GroupId=rule["securityGroupId"],
        SecurityGroupRules=[{"SecurityGroupRuleId": rule["id"], "SecurityGroupRule": ports}],
    )
    ec2.authorize_security_group_ingress(
        GroupId=state["network-default"]["id"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    ec2.replace_route(
        RouteTableId=state["network-private-a-nat"]["routeTableId"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=state["network-internet"]["id"],
    )
    ec2.replace_route_table_association(
        AssociationId=state["network-intra-a-association"]["id"], RouteTableId=state["network-public-routes"]["id"]
    )


def _change_data(box: Box, state: dict[str, Any]) -> None:
    s3, rds, bucket = box.client("s3"), box.client("rds"), state["buckets-data-lake"]["id"]
    s3.put_bucket_policy(Bucket=bucket, Policy=_denial(f"arn:aws:s3:::{bucket}/*", "s3:GetObject"))
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=EXPIRE)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "mine", "Value": "now"}]})
    rds.modify_db_instance(
        DBInstanceIdentifier=state["database-instance"]["identifier"], BackupRetentionPeriod=9, ApplyImmediately=True
    )
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName=state["database-parameters"]["id"], Parameters=[parameter])
    ecr, repository = box.client("ecr"), state["registry-mlflow"]["id"]
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": [FEW_IMAGES]}))
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="MUTABLE")
    group = state["network-flow-logs-group"]["id"]
    box.client("logs").put_retention_policy(logGroupName=group, retentionInDays=1)
    budgets, name = box.client("budgets"), state["budget-monthly-cost"]["name"]
    budget = budgets.describe_budget(AccountId=ACCOUNT, BudgetName=name)["Budget"]
    kept = {key: budget[key] for key in ("BudgetName", "BudgetType", "TimeUnit", "CostFilters", "CostTypes")}
    limit = {"BudgetLimit": {"Amount": "5", "Unit": "USD"}}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget={**kept, **limit})


def _change_access(box: Box, state: dict[str, Any]) -> None:
    iam, topic = box.client("iam"), state["notifications-topic"]["id"]
    box.client("kms").disable_key_rotation(KeyId=state["keys-data"]["id"])
    iam.update_assume_role_policy(RoleName=state["identities-deploy"]["id"], PolicyDocument=TRUST)
    iam.create_policy_version(PolicyArn=state["identities-read"]["id"], PolicyDocument=ANYBODY, SetAsDefault=True)
    box.client("secretsmanager").put_resource_policy(
        SecretId=state["secrets-grafana-admin"]["id"], ResourcePolicy=_denial("*", "secretsmanager:GetSecretValue")
    )
    box.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=_denial(topic, "sns:Publish")
    )


def _delete(box: Box, state: dict[str, Any]) -> set[str]:
    """Delete one resource of each kind that AWS deletes alone; returns their names."""
    ec2, s3, iam, ecr = (box.client(service) for service in ("ec2", "s3", "iam", "ecr"))
    route, rule = state["network-private-b-nat"], state["network-endpoints-from-pods"]
    ec2.delete_route(RouteTableId=route["routeTableId"], DestinationCidrBlock="0.0.0.0/0")
    ec2.disassociate_route_table(AssociationId=state["network-pods-a-association"]["id"])
    ec2.revoke_security_group_ingress(GroupId=rule["securityGroupId"], SecurityGroupRuleIds=[rule["id"]])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[state["network-endpoints-ecr-api"]["id"]])
    ec2.delete_flow_logs(FlowLogIds=[state["network-flow-logs-all"]["id"]])
    bucket = state["buckets-feature-data"]["id"]
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket(Bucket=state["buckets-model-artifacts"]["id"])
    attached = state["identities-deploy-deploy-data"]
    iam.detach_role_policy(RoleName=attached["role"], PolicyArn=attached["policyArn"])
    box.client("kms").delete_alias(AliasName=state["keys-logs-alias"]["id"])
    ecr.delete_repository(repositoryName=state["registry-serving-base"]["id"], force=True)
    secret = state["secrets-grafana-admin"]["id"]
    box.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    box.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=state["budget-monthly-cost"]["name"])
    box.client("rds").delete_db_instance(
        DBInstanceIdentifier=state["database-instance"]["identifier"], SkipFinalSnapshot=True
    )
    return {
        *("network-private-b-nat", "network-pods-a-association", "network-endpoints-from-pods"),
        *(
            "network-endpoints-ecr-api",
            "network-flow-logs-all",
            "buckets-feature-data-policy",
            "buckets-model-artifacts",
        ),
        *("buckets-feature-data-lifecycle", "buckets-feature-data-public-access", "keys-logs-alias"),
        *("registry-serving-base", "registry-serving-base-cleanup", "secrets-grafana-admin", "budget-monthly-cost"),
        *("secrets-grafana-admin-policy", "database-instance", "buckets-model-artifacts-versioning"),
    }


def _denial(resource: str, action: str) -> str:
    statement = {"Sid": "Drift", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    condition = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **condition}]})
