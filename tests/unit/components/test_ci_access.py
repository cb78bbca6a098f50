"""Permissions of the CI roles, evaluated as IAM would, action by action."""

from collections.abc import Mapping, Sequence

import pytest

from components.ci.deploy_identity import ROLE_USERS
from components.iam_documents import Statement

from .ci_roles import DEPLOY, PREVIEW, may
from .policies import PREFIX

OURS = {"aws:ResourceTag/environment": "test"}
THEIRS = {"aws:ResourceTag/environment": "prod"}
NEW = {"aws:RequestTag/environment": "test"}
STATE_KEY = {"kms:ResourceAliases": "alias/acme-state"}
IAM = "arn:aws:iam::123456789012"
EC2 = "arn:aws:ec2:us-east-1:123456789012"
KMS = "arn:aws:kms:us-east-1:123456789012"
EKS = "arn:aws:eks:us-east-1:123456789012"
CLUSTER = f"{PREFIX}-eks"
SCALING = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:uuid:autoScalingGroupName"
RDS = "arn:aws:rds:us-east-1:123456789012"
MANAGED = {"rds:ManageMasterUserPassword": "true", "rds:PubliclyAccessible": "false"}
BOUNDED = {"iam:PermissionsBoundary": f"{IAM}:policy/{PREFIX}-boundary"}
OTHERWISE = {"iam:PermissionsBoundary": f"{IAM}:policy/{PREFIX}-wide"}
SECRET = f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{PREFIX}/projects/churn/warehouse-AbCdEf"
LAUNCH = {"ec2:LaunchTemplate": f"{EC2}:launch-template/lt-1"}


def test_the_preview_role_changes_nothing():
    verbs = ("Describe", "Get", "List", "View")
    reading = {"kms:Decrypt"}
    for statement in PREVIEW:
        if statement.effect == "Allow":
            for action in statement.actions:
                assert action in reading or action.partition(":")[2].startswith(verbs), action


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", f"arn:aws:s3:::{PREFIX}-data-lake-1234567/training.parquet"),
        ("s3:GetObjectVersion", "arn:aws:s3:::anything/object"),
        (
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{PREFIX}/mlflow/admin",
        ),
        ("ecr:BatchGetImage", f"arn:aws:ecr:us-east-1:123456789012:repository/{PREFIX}/mlflow"),
        ("logs:GetLogEvents", f"arn:aws:logs:us-east-1:123456789012:log-group:{PREFIX}-flow"),
        ("kms:Decrypt", f"{KMS}:key/data"),
        ("s3:PutObject", "arn:aws:s3:::acme-state/.pulumi/stacks/test.json"),
        ("iam:PassRole", f"{IAM}:role/{PREFIX}-flow-logs"),
    ],
)
def test_a_preview_reaches_no_data_no_secret_and_no_state_to_write(action: str, resource: str):
    assert not may(PREVIEW, action, resource)


def test_a_later_grant_cannot_open_secrets_or_data_to_a_preview():
    careless = Statement(sid="Later", actions=["*"], resources=["*"], reason="somebody in a hurry")
    assert not may([*PREVIEW, careless], "secretsmanager:GetSecretValue", "any")
    assert not may([*PREVIEW, careless], "s3:GetObject", "arn:aws:s3:::data/object")
    assert may([*PREVIEW, careless], "s3:GetObject", "arn:aws:s3:::acme-state/.pulumi/stacks/test.json")


@pytest.mark.parametrize("role", [PREVIEW, DEPLOY], ids=["preview", "deploy"])
@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("s3:GetObject", "arn:aws:s3:::acme-state/.pulumi/stacks/test.json", {}),
        ("s3:ListBucket", "arn:aws:s3:::acme-state", {}),
        ("ecr:DescribeImages", f"arn:aws:ecr:us-east-1:123456789012:repository/{PREFIX}/mlflow", {}),
        ("kms:Decrypt", f"{KMS}:key/state", STATE_KEY),
        ("ec2:DescribeVpcs", "*", {}),
        ("kms:GetKeyPolicy", f"{KMS}:key/data", OURS),
        ("rds:DescribeDBInstances", f"arn:aws:rds:us-east-1:123456789012:db:{PREFIX}-mlflow", {}),
        (
            "logs:ListTagsForResource",
            f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/rds/instance/{PREFIX}-mlflow/postgresql",
            {},
        ),
    ],
)
def test_both_roles_read_state_and_descriptions(
    role: Sequence[Statement], action: str, resource: str, context: Mapping[str, str]
):
    assert may(role, action, resource, context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("ec2:CreateSubnet", f"{EC2}:subnet/new", NEW),
        ("ec2:CreateSubnet", f"{EC2}:vpc/ours", {**NEW, **OURS}),
        ("ec2:CreateTags", f"{EC2}:subnet/new", {**NEW, "ec2:CreateAction": "CreateSubnet"}),
        ("kms:CreateGrant", f"{KMS}:key/data", {**OURS, "kms:ViaService": "rds.us-east-1.amazonaws.com"}),
        ("rds:CreateDBInstance", f"{RDS}:db:{PREFIX}-mlflow", MANAGED),
        ("rds:ModifyDBInstance", f"{RDS}:db:{PREFIX}-mlflow", {}),
        ("secretsmanager:CreateSecret", f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{PREFIX}/a-AbCdEf", {}),
        # What becomes of a project.
        ("ecr:CreateRepository", f"arn:aws:ecr:us-east-1:123456789012:repository/{PREFIX}/projects/churn", {}),
        ("ecr:DeleteRepository", f"arn:aws:ecr:us-east-1:123456789012:repository/{PREFIX}/projects/churn", {}),
        ("secretsmanager:PutResourcePolicy", SECRET, {"secretsmanager:BlockPublicPolicy": "true"}),
        ("secretsmanager:DeleteResourcePolicy", SECRET, {}),
        ("iam:CreateRole", f"{IAM}:role/{PREFIX}-ml-churn-training", BOUNDED),
        ("iam:TagRole", f"{IAM}:role/{PREFIX}-ml-churn-training", {}),
        ("iam:PutRolePolicy", f"{IAM}:role/{PREFIX}-ml-ci-training", BOUNDED),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/{PREFIX}-ml-ci-training", BOUNDED),
        ("iam:DeleteRole", f"{IAM}:role/{PREFIX}-ml-ci-training", BOUNDED),
        (
            "iam:PassRole",
            f"{IAM}:role/{PREFIX}-ml-churn-training",
            {"iam:PassedToService": "pods.eks.amazonaws.com"},
        ),
        ("eks:DeletePodIdentityAssociation", f"{EKS}:podidentityassociation/{CLUSTER}/a-1", {}),
        ("iam:PassRole", f"{IAM}:role/{PREFIX}-flow-logs", {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}),
        ("budgets:ModifyBudget", f"arn:aws:budgets::123456789012:budget/{PREFIX}-monthly-cost", {}),
        ("s3:PutObject", "arn:aws:s3:::acme-state/.pulumi/stacks/test.json", {}),
        ("kms:GenerateDataKey", f"{KMS}:key/state", STATE_KEY),
        ("eks:UpdateClusterVersion", f"{EKS}:cluster/{CLUSTER}", {}),
        ("eks:UpdateNodegroupConfig", f"{EKS}:nodegroup/{CLUSTER}/general/uuid", {}),
        ("eks:DeleteAddon", f"{EKS}:addon/{CLUSTER}/coredns/uuid", {}),
        ("ec2:CreateLaunchTemplate", f"{EC2}:launch-template/new", NEW),
        ("ec2:CreateLaunchTemplateVersion", f"{EC2}:launch-template/lt-1", OURS),
        ("ec2:RunInstances", f"{EC2}:launch-template/lt-1", {**OURS, **LAUNCH}),
        ("ec2:RunInstances", f"{EC2}:instance/new", LAUNCH),
        ("ec2:RunInstances", f"{EC2}:subnet/own", {**LAUNCH, "ec2:Vpc": f"{EC2}:vpc/vpc-own"}),
        ("ec2:RunInstances", f"{EC2}:security-group/eks-made-it", {**LAUNCH, "ec2:Vpc": f"{EC2}:vpc/vpc-own"}),
        ("ec2:RunInstances", f"{EC2}:network-interface/new", LAUNCH),
        ("ec2:RunInstances", f"{EC2}:placement-group/own", {**LAUNCH, **OURS}),
        ("ec2:RunInstances", f"{EC2}:capacity-reservation/cr-bought", LAUNCH),
        ("autoscaling:CreateOrUpdateTags", f"{SCALING}/eks-x", {"aws:ResourceTag/eks:cluster-name": CLUSTER}),
        ("iam:PassRole", f"{IAM}:role/{PREFIX}-nodes", {"iam:PassedToService": "eks.amazonaws.com"}),
    ],
)
def test_a_deployment_changes_its_own_environment(action: str, resource: str, context: Mapping[str, str]):
    assert may(DEPLOY, action, resource, context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("ec2:CreateVpc", f"{EC2}:vpc/new", {}),
        ("ec2:CreateSubnet", f"{EC2}:vpc/theirs", {**NEW, **THEIRS}),
        ("ec2:CreateTags", f"{EC2}:security-group/theirs", {**NEW, **THEIRS}),
        ("ec2:CreateTags", f"{EC2}:vpc/untagged", NEW),
        ("ec2:DeleteVpc", f"{EC2}:vpc/theirs", THEIRS),
        ("ec2:RunInstances", f"{EC2}:instance/new", NEW),
        ("kms:ScheduleKeyDeletion", f"{KMS}:key/theirs", THEIRS),
        ("kms:TagResource", f"{KMS}:key/theirs", {**NEW, **THEIRS}),
        ("kms:Decrypt", f"{KMS}:key/data", OURS),
        # Another way to data: who may change what protects it.
        ("s3:PutBucketPolicy", f"arn:aws:s3:::{PREFIX}-data-lake-1234567", {}),
        ("s3:PutEncryptionConfiguration", f"arn:aws:s3:::{PREFIX}-data-lake-1234567", {}),
        ("s3:PutBucketPublicAccessBlock", f"arn:aws:s3:::{PREFIX}-data-lake-1234567", {}),
        ("kms:PutKeyPolicy", f"{KMS}:key/data", OURS),
        ("kms:CreateKey", "*", NEW),
        ("kms:UpdateAlias", f"{KMS}:alias/{PREFIX}-data", {}),
        ("secretsmanager:PutResourcePolicy", SECRET, {}),
        ("secretsmanager:PutResourcePolicy", SECRET, {"secretsmanager:BlockPublicPolicy": "false"}),
        ("secretsmanager:UpdateSecret", SECRET, {}),
        # What it did not create does not become its own by a tag.
        ("kms:TagResource", f"{KMS}:key/untagged", NEW),
        ("ec2:CreateTags", f"{EC2}:security-group/untagged", NEW),
        ("ec2:CreateVpc", f"{EC2}:vpc/new", NEW),
        ("ec2:DeleteVpc", f"{EC2}:vpc/ours", OURS),
        ("kms:ScheduleKeyDeletion", f"{KMS}:key/data", OURS),
        (
            "kms:TagResource",
            f"{KMS}:key/state-of-prod",
            {**OURS, "kms:ResourceAliases": "alias/ml-platform-prod-state"},
        ),
        # A role without the boundary is out of reach.
        ("iam:CreateRole", f"{IAM}:role/{PREFIX}-x", {}),
        ("iam:CreateRole", f"{IAM}:role/{PREFIX}-x", OTHERWISE),
        ("iam:PutRolePolicy", f"{IAM}:role/{PREFIX}-cluster-role-1234567", {}),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/{PREFIX}-cluster-role-1234567", {}),
        ("iam:DeleteRolePermissionsBoundary", f"{IAM}:role/{PREFIX}-x", BOUNDED),
        ("iam:PutRolePermissionsBoundary", f"{IAM}:role/{PREFIX}-x", BOUNDED),
        ("iam:CreatePolicyVersion", f"{IAM}:policy/{PREFIX}-boundary", {}),
        ("iam:CreatePolicy", f"{IAM}:policy/{PREFIX}-x", {}),
        ("s3:GetObject", f"arn:aws:s3:::{PREFIX}-data-lake-1234567/x", {}),
        (
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{PREFIX}/a-AbCdEf",
            {},
        ),
        ("iam:PassRole", f"{IAM}:role/{PREFIX}-flow-logs", {"iam:PassedToService": "ec2.amazonaws.com"}),
        (
            "iam:AttachRolePolicy",
            f"{IAM}:role/{PREFIX}-x",
            {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess", **BOUNDED},
        ),
        ("iam:CreateUser", f"{IAM}:user/{PREFIX}-x", {}),
        ("eks:CreateCluster", f"{EKS}:cluster/{CLUSTER}", NEW),
        ("eks:DeleteCluster", f"{EKS}:cluster/{CLUSTER}", OURS),
        ("eks:UpdateClusterConfig", f"{EKS}:cluster/ml-platform-prod-eks", {}),
        ("eks:DeleteNodegroup", f"{EKS}:nodegroup/ml-platform-prod-eks/general/uuid", {}),
        ("ec2:RunInstances", f"{EC2}:launch-template/theirs", {**THEIRS, **LAUNCH}),
        ("ec2:RunInstances", f"{EC2}:subnet/theirs", {**LAUNCH, "ec2:Vpc": f"{EC2}:vpc/vpc-other"}),
        ("ec2:RunInstances", f"{EC2}:security-group/theirs", {**LAUNCH, "ec2:Vpc": f"{EC2}:vpc/vpc-other"}),
        ("ec2:RunInstances", f"{EC2}:network-interface/theirs", {**LAUNCH, "ec2:Vpc": f"{EC2}:vpc/vpc-other"}),
        ("ec2:RunInstances", f"{EC2}:placement-group/theirs", {**LAUNCH, **THEIRS}),
        ("ec2:RunInstances", f"{EC2}:capacity-reservation/cr-theirs", LAUNCH),
        ("rds:ModifyDBInstance", f"{RDS}:db:{PREFIX}-mlflow", {"rds:ManageMasterUserPassword": "false"}),
        ("rds:CreateDBInstance", f"{RDS}:db:{PREFIX}-x", {}),
        ("rds:CreateDBInstance", f"{RDS}:db:{PREFIX}-x", {**MANAGED, "rds:PubliclyAccessible": "true"}),
        ("rds:DeleteDBInstance", f"{RDS}:db:{PREFIX}-mlflow", {}),
        ("s3:PutLifecycleConfiguration", f"arn:aws:s3:::{PREFIX}-data-lake-1234567", {}),
        ("ec2:TerminateInstances", f"{EC2}:instance/i-1", OURS),
        (
            "autoscaling:CreateOrUpdateTags",
            f"{SCALING}/eks-x",
            {"aws:ResourceTag/eks:cluster-name": "ml-platform-prod-eks"},
        ),
        ("sts:AssumeRole", f"{IAM}:role/{PREFIX}-x", {}),
    ],
)
def test_a_deployment_reaches_nothing_else(action: str, resource: str, context: Mapping[str, str]):
    assert not may(DEPLOY, action, resource, context)


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("sts:AssumeRole", f"{IAM}:role/{PREFIX}-x", {}),
        ("iam:CreateRole", f"{IAM}:role/somewhere-else", {}),
        ("iam:PutRolePolicy", f"{IAM}:role/somewhere-else", OTHERWISE),
        ("iam:DeleteRolePermissionsBoundary", f"{IAM}:role/{PREFIX}-x", BOUNDED),
        ("iam:SetDefaultPolicyVersion", f"{IAM}:policy/{PREFIX}-boundary", {}),
        ("iam:CreateAccessKey", f"{IAM}:user/somebody", {}),
        ("secretsmanager:GetSecretValue", SECRET, {}),
        ("s3:GetObject", f"arn:aws:s3:::{PREFIX}-data-lake-1234567/x", {}),
        ("kms:PutKeyPolicy", f"{KMS}:key/other", {"kms:ResourceAliases": "alias/ml-platform-prod-state"}),
        ("iam:PutRolePolicy", f"{IAM}:role/{PREFIX}-ci-deploy", BOUNDED),
        ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/{PREFIX}-ci-preview", BOUNDED),
        ("iam:AttachRolePolicy", f"{IAM}:role/{PREFIX}-ci-deploy", {"iam:PolicyARN": f"{IAM}:policy/{PREFIX}-x"}),
        ("iam:CreatePolicyVersion", f"{IAM}:policy/{PREFIX}-ci-deploy-state", {}),
        ("iam:PassRole", f"{IAM}:role/{PREFIX}-ci-deploy", {"iam:PassedToService": ROLE_USERS[0]}),
        ("iam:UpdateOpenIDConnectProviderThumbprint", f"{IAM}:oidc-provider/token.actions.githubusercontent.com", {}),
        ("s3:DeleteBucket", "arn:aws:s3:::acme-state", {}),
        ("s3:PutBucketVersioning", "arn:aws:s3:::acme-state", {}),
        ("kms:ScheduleKeyDeletion", f"{KMS}:key/state", {**STATE_KEY, **OURS}),
    ],
)
def test_a_deployment_can_be_granted_anything_but_its_own_identity_and_history(
    action: str, resource: str, context: Mapping[str, str]
):
    careless = Statement(sid="Later", actions=["*"], resources=["*"], reason="somebody in a hurry")
    assert may([careless], action, resource, context)
    assert not may([*DEPLOY, careless], action, resource, context)


def test_the_vpc_is_attached_to_the_gateways_of_the_settings_and_no_others():
    attach = "ec2:CreateTransitGatewayVpcAttachment"
    shared = "arn:aws:ec2:us-east-1:999999999999:transit-gateway"
    assert may(DEPLOY, attach, f"{shared}/tgw-ours")
    assert not may(DEPLOY, attach, f"{shared}/tgw-others")
    assert may(DEPLOY, attach, f"{EC2}:transit-gateway-attachment/tgw-attach-1", NEW)
    assert not may(DEPLOY, attach, f"{EC2}:transit-gateway-attachment/tgw-attach-1")
    assert not may(DEPLOY, attach, f"{EC2}:vpc/vpc-1", THEIRS)
    for change in ("Delete", "Modify"):
        action = f"ec2:{change}TransitGatewayVpcAttachment"
        assert may(DEPLOY, action, f"{EC2}:transit-gateway-attachment/tgw-attach-1", OURS)
        assert not may(DEPLOY, action, f"{EC2}:transit-gateway-attachment/tgw-attach-1", THEIRS)
        assert not may(PREVIEW, action, f"{EC2}:transit-gateway-attachment/tgw-attach-1", OURS)
