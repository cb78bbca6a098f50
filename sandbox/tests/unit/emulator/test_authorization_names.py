"""The authorization tables use permissions and ARN formats that exist on AWS."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.session import Session

from mlp_sandbox.emulator.authorization import s3
from mlp_sandbox.emulator.authorization.accesses import accesses
from mlp_sandbox.emulator.authorization.evaluation import Caller
from mlp_sandbox.emulator.authorization.facts import kinds_of, known_action, prefix_of
from mlp_sandbox.emulator.authorization.names import ACTIONS, IAM_TAGGING, PARAMETERS, TAGGING
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.identify import Identity
from mlp_sandbox.emulator.messages import Request

ACCOUNT = "123456789012"
SERVICES = (
    "autoscaling",
    "budgets",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "eks",
    "eks-auth",
    "events",
    "iam",
    "kms",
    "logs",
    "rds",
    "s3",
    "sagemaker",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "sts",
)
# Operations without a permission of their name: derived by hand, or newer than what AWS publishes of permissions.
UNPUBLISHED = {
    "cloudwatch": {
        "AssociateDatasetKmsKey",
        "DeleteMetricDataQueryDefinition",
        "DescribeAlarmContributors",
        "DisassociateDatasetKmsKey",
        "GetMetricDataQueryDefinition",
        "ListMetricDataQueryDefinitions",
        "PutMetricDataQueryDefinition",
    },
    "dynamodb": {
        "BatchExecuteStatement",
        "CancelBulkOperation",
        "DescribeBulkOperation",
        "ExecuteStatement",
        "ExecuteTransaction",
        "ListBulkOperations",
        "StartBulkPutItems",
        "TransactGetItems",
        "TransactWriteItems",
    },
    "ecr": {"ListImageReferrers"},
    "iam": {"AcquireRole", "UpdateDelegationRequest"},
    "kms": {"ReEncrypt"},
    "logs": {"GetLogObject"},
    "rds": {"DescribeServerlessV2PlatformVersions"},
    "s3": {
        "CreateBucketMetadataConfiguration",
        "CreateSession",
        "DeleteBucketMetadataConfiguration",
        "GetBucketMetadataConfiguration",
        "ListDirectoryBuckets",
        "WriteGetObjectResponse",
    },
    "secretsmanager": {"AssociateCrossAccountReplica", "DisassociateCrossAccountReplica", "ListResourcePolicies"},
    "ssm": {"DeregisterDefaultHostManagementConfiguration", "RegisterDefaultHostManagementConfiguration"},
}
# Services that grow every week: a share of their operations may be newer.
GROWING = {"ec2": 0.05, "sagemaker": 0.05}


def ask(
    service: str, operation: str, params: Mapping[str, Any], *, kind: Any = "session", **headers: str
) -> AuthorizationRequest:
    identity = Identity(
        service=service, operation=operation, region="us-east-1", protocol="json", account=ACCOUNT, access_key="x"
    )
    request = Request(method="POST", target="/", headers=tuple(headers.items()), body=b"")
    return AuthorizationRequest(identity, request, Caller(kind=kind, arn="arn", account=ACCOUNT), params)


def needed(service: str, operation: str, **params: Any) -> set[tuple[str, str]]:
    """Return the required actions, each with the last part of its resource."""
    return {(access.action, access.resource.split(":", 5)[-1]) for access in accesses(ask(service, operation, params))}


@pytest.mark.parametrize("service", SERVICES)
def test_operations_need_permissions_that_aws_has(service: str):
    operations: Any = Session().get_service_model(service).operation_names
    renamed = s3.ACTIONS if service == "s3" else {}
    unknown = {
        name
        for name in operations
        for action in ACTIONS.get(f"{prefix_of(service)}:{name}", (f"{prefix_of(service)}:{renamed.get(name, name)}",))
        if not known_action(action)
    }
    if service in GROWING:
        assert len(unknown) <= GROWING[service] * len(operations), unknown
    else:
        assert unknown == UNPUBLISHED.get(service, set())


def test_every_permission_in_our_tables_is_one_of_aws():
    named = {*TAGGING.values(), *IAM_TAGGING.values(), *(name for names in ACTIONS.values() for name in names)}
    named |= {f"s3:{name}" for name in s3.ACTIONS.values()}
    assert {name for name in named if not known_action(name)} == set()


def test_every_placeholder_in_our_tables_is_one_of_aws():
    operations: Any = {prefix: Session().get_service_model(service).operation_names for prefix, service in _services()}
    for prefix, placeholder in PARAMETERS:
        known = {
            name
            for operation in operations[prefix]
            for kind in kinds_of(f"{prefix}:{operation}")
            for name in kind.placeholders
        }
        assert placeholder in known, (prefix, placeholder)


def _services() -> list[tuple[str, str]]:
    others = {"elasticloadbalancing": "elbv2", "states": "stepfunctions"}
    return [(prefix, others.get(prefix, prefix)) for prefix, _ in PARAMETERS]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}, {("ec2:DescribeInstances", "*")}),
        (
            "ec2",
            "TerminateInstances",
            {"InstanceIds": ["i-1", "i-2"]},
            {("ec2:TerminateInstances", "instance/i-1"), ("ec2:TerminateInstances", "instance/i-2")},
        ),
        (
            "ec2",
            "CreateSubnet",
            {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"},
            {("ec2:CreateSubnet", "subnet/*"), ("ec2:CreateSubnet", "vpc/vpc-1")},
        ),
        (
            "ec2",
            "CreateTags",
            {"Resources": ["vol-1", "eipalloc-2"], "Tags": [{"Key": "a", "Value": "b"}]},
            {("ec2:CreateTags", "volume/vol-1"), ("ec2:CreateTags", "elastic-ip/eipalloc-2")},
        ),
        ("eks", "CreateCluster", {"name": "c"}, {("eks:CreateCluster", "cluster/c")}),
        (
            "eks",
            "DescribeNodegroup",
            {"clusterName": "c", "nodegroupName": "n"},
            {("eks:DescribeNodegroup", "nodegroup/c/n/*")},
        ),
        ("eks", "ListAddons", {"clusterName": "c"}, {("eks:ListAddons", "cluster/c")}),
        (
            "eks",
            "DescribeAccessEntry",
            {"clusterName": "c", "principalArn": f"arn:aws:iam::{ACCOUNT}:role/team/r"},
            {("eks:DescribeAccessEntry", f"access-entry/c/role/{ACCOUNT}/r/*")},
        ),
        (
            "eks",
            "TagResource",
            {"resourceArn": f"arn:aws:eks:us-east-1:{ACCOUNT}:addon/c/coredns/1-2", "tags": {"a": "b"}},
            {("eks:TagResource", "addon/c/coredns/1-2")},
        ),
        (
            "eks",
            "CreatePodIdentityAssociation",
            {"clusterName": "c", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r"},
            {("eks:CreatePodIdentityAssociation", "cluster/c"), ("iam:PassRole", "role/r")},
        ),
        (
            "sagemaker",
            "CreateTrainingJob",
            {"TrainingJobName": "t", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "Tags": [{"Key": "a", "Value": "b"}]},
            {
                ("sagemaker:CreateTrainingJob", "training-job/t"),
                ("sagemaker:AddTags", "training-job/t"),
                ("iam:PassRole", "role/r"),
            },
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/aws/x", "logStreamName": "s"},
            {("logs:PutLogEvents", "log-group:/aws/x:log-stream:s")},
        ),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            {("dynamodb:Query", "table/t/index/i")},
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]},
            {("dynamodb:PutItem", "table/a"), ("dynamodb:ConditionCheckItem", "table/b")},
        ),
        ("sqs", "SendMessageBatch", {"QueueUrl": "http://h/1/jobs"}, {("sqs:SendMessage", "jobs")}),
        (
            "rds",
            "CreateDBInstance",
            {"DBInstanceIdentifier": "d", "Engine": "postgres", "EngineVersion": "16.11", "DBSubnetGroupName": "s"},
            {
                ("rds:CreateDBInstance", "db:d"),
                ("rds:CreateDBInstance", "subgrp:s"),
                ("rds:CreateDBInstance", "og:default:postgres-16"),
            },
        ),
        (
            "rds",
            "CreateDBInstance",
            {
                "DBInstanceIdentifier": "d",
                "OptionGroupName": "o",
                "ManageMasterUserPassword": True,
                "Tags": [{"Key": "a", "Value": "b"}],
            },
            {
                ("rds:CreateDBInstance", "db:d"),
                ("rds:CreateDBInstance", "og:o"),
                ("rds:AddTagsToResource", "db:d"),
                ("secretsmanager:CreateSecret", "secret:rds!db-*"),
                ("secretsmanager:TagResource", "secret:rds!db-*"),
            },
        ),
        (
            "sagemaker",
            "CreateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c", "Tags": [{"Key": "a", "Value": "b"}]},
            {
                ("sagemaker:CreateEndpoint", "endpoint/e"),
                ("sagemaker:CreateEndpoint", "endpoint-config/c"),
                ("sagemaker:AddTags", "endpoint/e"),
            },
        ),
        (
            "iam",
            "CreateServiceLinkedRole",
            {"AWSServiceName": "rds.amazonaws.com"},
            {("iam:CreateServiceLinkedRole", "role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS")},
        ),
        (
            "iam",
            "CreateRole",
            {"RoleName": "r", "Path": "/team/", "Tags": [{"Key": "a", "Value": "b"}]},
            {("iam:CreateRole", "role/team/r"), ("iam:TagRole", "role/team/r")},
        ),
        (
            "kms",
            "CreateKey",
            {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
            {("kms:CreateKey", "*"), ("kms:TagResource", "key/*")},
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "team/db"},
            {("secretsmanager:CreateSecret", "secret:team/db-??????")},
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": ["/a/b", "c"]},
            {("ssm:GetParameters", "parameter/a/b"), ("ssm:GetParameters", "parameter/c")},
        ),
        ("budgets", "DescribeBudget", {"BudgetName": "b"}, {("budgets:ViewBudget", "budget/b")}),
        ("codeartifact", "ListDomains", {}, {("codeartifact:ListDomains", "*")}),
        ("grafana", "NotYetKnownToAnybody", {"name": "x"}, {("grafana:NotYetKnownToAnybody", "*")}),
    ],
)
def test_an_operation_needs_its_permissions_on_what_it_names(
    service: str, operation: str, params: dict[str, Any], expected: set[tuple[str, str]]
):
    assert needed(service, operation, **params) == expected


def test_what_ec2_creates_is_tagged_by_permission_for_that_operation():
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": "ml"}]}]
    found = list(accesses(ask("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16", "TagSpecifications": tags})))
    assert [(access.action, access.keys.get("ec2:createaction")) for access in found] == [
        ("ec2:CreateVpc", None),
        ("ec2:CreateTags", ("CreateVpc",)),
    ]
