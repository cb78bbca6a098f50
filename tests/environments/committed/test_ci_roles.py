"""Permissions and denials of CI roles, tried with the credentials that real jobs get."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.environment import REGION
from mlp_sandbox.testing.box import Box
from mlp_sandbox.testing.github import ISSUER, MAIN, sign_in
from tests.environments.environment_copy import EnvironmentCopy, copy_project

pytestmark = pytest.mark.timeout(900)
ACCOUNT, PREFIX = "123456789012", "ml-platform-dev"
ROLE, POLICY = f"arn:aws:iam::{ACCOUNT}:role", f"arn:aws:iam::{ACCOUNT}:policy"
BOUNDARY = f"{POLICY}/{PREFIX}-boundary"
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
Client = Callable[[str], Any]


def ci_role(stack: str, role: str) -> str:
    return f"{ROLE}/ml-platform-{stack}-ci-{role}"


def clients(account: Box, credentials: dict[str, str]) -> Client:
    @functools.cache
    def client(service: str) -> Any:
        keys = {name.lower(): value for name, value in credentials.items()}
        return boto3.client(service, endpoint_url=account.instance.endpoint, region_name=REGION, **keys)

    return client


@pytest.fixture(scope="module")
def deployer(account: Box) -> dict[str, str]:
    return sign_in(account, ci_role("dev", "deploy"), MAIN)


@pytest.fixture(scope="module")
def deploy(account: Box, deployer: dict[str, str]) -> Client:
    return clients(account, deployer)


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as failure:
        call(**arguments)
    error = failure.value.response["Error"]
    assert error["Code"].startswith(("AccessDenied", "UnauthorizedOperation")), error
    return str(error["Message"])


@pytest.mark.parametrize(
    ("stack", "role", "subject"),
    [
        ("prod", "deploy", MAIN),
        ("staging", "deploy", MAIN),
        ("prod", "deploy", "repo:acme/ml-platform:environment:staging"),
        ("dev", "deploy", "repo:acme/ml-platform:pull_request"),
        ("dev", "push", "repo:acme/ml-platform:pull_request"),
        ("prod", "push", MAIN),
        ("prod", "preview", "repo:acme/ml-platform:ref:refs/heads/feature"),
        ("prod", "preview", "repo:evil/ml-platform:pull_request"),
    ],
)
def test_a_job_without_its_reviewers_or_of_another_kind_gets_no_role(
    account: Box, stack: str, role: str, subject: str
) -> None:
    assert "sts:AssumeRoleWithWebIdentity" in refused(lambda: sign_in(account, ci_role(stack, role), subject))


@pytest.mark.parametrize(
    ("stack", "role", "subject"),
    [
        ("prod", "deploy", "repo:acme/ml-platform:environment:prod"),
        ("dev", "deploy", MAIN),
        ("prod", "preview", "repo:acme/ml-platform:pull_request"),
        ("prod", "preview", MAIN),
        ("dev", "push", MAIN),
        ("prod", "push", "repo:acme/ml-platform:environment:prod"),
    ],
)
def test_a_job_that_reviewers_let_through_gets_its_role(account: Box, stack: str, role: str, subject: str) -> None:
    who = clients(account, sign_in(account, ci_role(stack, role), subject))("sts").get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/ml-platform-{stack}-ci-{role}/job"


def trusting(role: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_the_deploy_role_makes_no_administrator(account: Box, deploy: Client) -> None:
    iam, itself = deploy("iam"), f"{ROLE}/{PREFIX}-ci-deploy"
    role = {"RoleName": f"{PREFIX}-helper", "AssumeRolePolicyDocument": trusting(itself)}
    assert "iam:CreateRole" in refused(iam.create_role, **role)
    assert "iam:CreateRole" in refused(
        iam.create_role, **role, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    iam.create_role(**role, PermissionsBoundary=BOUNDARY)
    try:
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName="all", PolicyDocument=ANYTHING)
        change = {"RoleName": role["RoleName"]}
        assert "iam:DeleteRolePermissionsBoundary" in refused(iam.delete_role_permissions_boundary, **change)
        assert "iam:AttachRolePolicy" in refused(
            iam.attach_role_policy, **change, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        )
        # It trusts the deploy role, and says that it may do anything.
        assume = {"RoleArn": f"{ROLE}/{role['RoleName']}", "RoleSessionName": "me"}
        assert "sts:AssumeRole" in refused(deploy("sts").assume_role, **assume)
        given = account.client("sts").assume_role(**assume)["Credentials"]
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        helper = clients(account, {key: given[name] for key, name in zip(keys, names, strict=True)})
        assert "no permissions boundary" in refused(helper("iam").create_user, UserName="me")
        assert "no permissions boundary" in refused(
            helper("secretsmanager").get_secret_value, SecretId="ml-platform-prod/mlflow/admin"
        )
    finally:
        iam.delete_role_policy(RoleName=role["RoleName"], PolicyName="all")
        iam.delete_role(RoleName=role["RoleName"])


def test_a_job_does_nothing_in_a_role_that_it_lets_its_own_tokens_in(account: Box, deploy: Client) -> None:
    """This is not the deploy role's own call: only the boundary and the trust policy that it may write apply."""
    iam, name = deploy("iam"), f"{PREFIX}-own"
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:sub": MAIN}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, PermissionsBoundary=BOUNDARY)
    try:
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=ANYTHING)
        own = clients(account, sign_in(account, f"{ROLE}/{name}", MAIN))
        denied = "explicit deny in a permissions boundary"
        assert denied in refused(own("secretsmanager").get_secret_value, SecretId=f"{PREFIX}/mlflow/admin")
        assert denied in refused(own("s3").list_buckets)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="all")
        iam.delete_role(RoleName=name)


def test_the_deploy_role_starts_no_instance_in_anothers_network(account: Box, deploy: Client) -> None:
    ec2 = account.client("ec2")
    templates = ec2.describe_launch_templates(Filters=[{"Name": "tag:environment", "Values": ["dev"]}])
    template = {"LaunchTemplateId": templates["LaunchTemplates"][0]["LaunchTemplateId"]}
    subnets = ec2.describe_subnets(Filters=[{"Name": "tag:environment", "Values": ["prod"]}])["Subnets"]
    said = refused(
        deploy("ec2").run_instances,
        LaunchTemplate=template,
        ImageId="ami-12345678",
        SubnetId=subnets[0]["SubnetId"],
        MinCount=1,
        MaxCount=1,
    )
    assert "ec2:RunInstances" in said


def test_the_deploy_role_chooses_no_password_and_loses_no_data(account: Box, deploy: Client) -> None:
    (lake,) = [each for each in _buckets(account) if each.startswith(f"{PREFIX}-buckets-data-lake")]
    rds, name = deploy("rds"), f"{PREFIX}-mlflow"
    chosen = {"ManageMasterUserPassword": False, "MasterUserPassword": "chosen-by-somebody"}
    assert "rds:ModifyDBInstance" in refused(rds.modify_db_instance, DBInstanceIdentifier=name, **chosen)
    assert "rds:DeleteDBInstance" in refused(rds.delete_db_instance, DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    rules = {"Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}
    assert "s3:PutLifecycleConfiguration" in refused(
        deploy("s3").put_bucket_lifecycle_configuration, Bucket=lake, LifecycleConfiguration=rules
    )


def test_the_deploy_role_changes_neither_itself_nor_its_boundary_nor_roles_without_one(
    account: Box, deploy: Client
) -> None:
    iam = deploy("iam")
    control_plane = str(account.client("eks").describe_cluster(name=f"{PREFIX}-eks")["cluster"]["roleArn"])
    for role in (f"{PREFIX}-ci-deploy", f"{PREFIX}-ci-preview", f"{PREFIX}-ci-push", control_plane.rpartition("/")[2]):
        change = {"RoleName": role}
        assert role in refused(iam.put_role_policy, **change, PolicyName="all", PolicyDocument=ANYTHING)
        assert role in refused(iam.update_assume_role_policy, **change, PolicyDocument=trusting(f"{ROLE}/x"))
        assert role in refused(iam.delete_role, **change)
    version = {"PolicyDocument": ANYTHING, "SetAsDefault": True}
    for policy in (BOUNDARY, f"{POLICY}/{PREFIX}-ci-deploy-limits"):
        assert policy in refused(iam.create_policy_version, PolicyArn=policy, **version)
        assert policy in refused(iam.delete_policy, PolicyArn=policy)
    assert "iam:CreateUser" in refused(iam.create_user, UserName="me")


def test_the_deploy_role_reads_no_secret_and_no_object_but_the_state(account: Box, deploy: Client) -> None:
    (lake,) = [each for each in _buckets(account) if each.startswith(f"{PREFIX}-buckets-data-lake")]
    account.client("s3").put_object(Bucket=lake, Key="x", Body=b"x")
    try:
        assert "s3:GetObject" in refused(deploy("s3").get_object, Bucket=lake, Key="x")
    finally:
        for each in account.client("s3").list_object_versions(Bucket=lake)["Versions"]:
            account.client("s3").delete_object(Bucket=lake, Key=each["Key"], VersionId=each["VersionId"])
    for secret in (f"{PREFIX}/mlflow/admin", "ml-platform-prod/mlflow/admin"):
        assert "secretsmanager:GetSecretValue" in refused(deploy("secretsmanager").get_secret_value, SecretId=secret)


def test_the_deploy_role_opens_no_data_by_what_protects_it(account: Box, deploy: Client) -> None:
    (lake,) = [each for each in _buckets(account) if each.startswith(f"{PREFIX}-buckets-data-lake")]
    s3, kms, secrets = deploy("s3"), deploy("kms"), deploy("secretsmanager")
    assert "s3:PutBucketPolicy" in refused(s3.put_bucket_policy, Bucket=lake, Policy=trusting("*"))
    assert "s3:PutBucketPublicAccessBlock" in refused(
        s3.put_public_access_block, Bucket=lake, PublicAccessBlockConfiguration={}
    )
    key = account.client("kms").describe_key(KeyId=f"alias/{PREFIX}-data")["KeyMetadata"]["Arn"]
    assert "kms:PutKeyPolicy" in refused(kms.put_key_policy, KeyId=key, PolicyName="default", Policy=ANYTHING)
    assert "kms:CreateGrant" in refused(
        kms.create_grant, KeyId=key, GranteePrincipal=f"{ROLE}/{PREFIX}-ci-deploy", Operations=["Decrypt"]
    )
    for secret in (f"{PREFIX}/mlflow/admin", "ml-platform-prod/mlflow/admin"):
        assert "secretsmanager:PutResourcePolicy" in refused(
            secrets.put_resource_policy, SecretId=secret, ResourcePolicy=trusting(f"{ROLE}/{PREFIX}-ci-deploy")
        )


def test_the_deploy_role_makes_nothing_its_own_by_a_tag(account: Box, deploy: Client) -> None:
    tags = [{"Key": "project", "Value": "ml-platform"}, {"Key": "environment", "Value": "dev"}]
    admin = account.client("kms")
    key = admin.create_key(Description="somebody's")["KeyMetadata"]["KeyId"]
    admin.create_alias(AliasName="alias/ml-platform-prod-state", TargetKeyId=key)
    group = account.client("ec2").create_security_group(GroupName="theirs", Description="theirs")["GroupId"]
    try:
        kms_tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
        assert "kms:TagResource" in refused(deploy("kms").tag_resource, KeyId=key, Tags=kms_tags)
        assert "kms:ScheduleKeyDeletion" in refused(deploy("kms").schedule_key_deletion, KeyId=key)
        assert "ec2:CreateTags" in refused(deploy("ec2").create_tags, Resources=[group], Tags=tags)
        assert "ec2:DeleteSecurityGroup" in refused(deploy("ec2").delete_security_group, GroupId=group)
    finally:
        account.client("ec2").delete_security_group(GroupId=group)
        admin.delete_alias(AliasName="alias/ml-platform-prod-state")
        admin.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


def test_the_push_role_pushes_to_its_repositories_and_nothing_else(account: Box) -> None:
    """The test pushes a manifest and its layers through ECR's API, not through Docker's protocol."""
    push = clients(account, sign_in(account, ci_role("dev", "push"), MAIN))
    ecr, own, others = push("ecr"), f"{PREFIX}/training/base", "ml-platform-prod/training/base"
    assert ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{'0' * 64}", "size": 1},
        "layers": [],
    }
    image = {"imageManifest": json.dumps(manifest), "imageTag": "of-a-job"}
    ecr.put_image(repositoryName=own, **image)
    try:
        wanted = {"imageIds": [{"imageTag": "of-a-job"}]}
        assert ecr.describe_images(repositoryName=own, **wanted)["imageDetails"]
        assert "ecr:PutImage" in refused(ecr.put_image, repositoryName=others, **image)
        assert "ecr:InitiateLayerUpload" in refused(ecr.initiate_layer_upload, repositoryName=others)
        assert "ecr:BatchDeleteImage" in refused(ecr.batch_delete_image, repositoryName=own, **wanted)
        assert "ecr:SetRepositoryPolicy" in refused(
            ecr.set_repository_policy, repositoryName=own, policyText=trusting("*")
        )
        assert "ecr:PutImageTagMutability" in refused(
            ecr.put_image_tag_mutability, repositoryName=own, imageTagMutability="MUTABLE"
        )
        assert "ecr:DeleteRepository" in refused(ecr.delete_repository, repositoryName=own, force=True)
        assert "ecr:CreateRepository" in refused(ecr.create_repository, repositoryName=f"{PREFIX}/new")
    finally:
        account.client("ecr").batch_delete_image(repositoryName=own, imageIds=[{"imageTag": "of-a-job"}])
    assert "s3:ListAllMyBuckets" in refused(push("s3").list_buckets)
    assert "secretsmanager:GetSecretValue" in refused(
        push("secretsmanager").get_secret_value, SecretId=f"{PREFIX}/mlflow/admin"
    )
    assert "iam:CreateUser" in refused(push("iam").create_user, UserName="me")
    assert "sts:AssumeRole" in refused(push("sts").assume_role, RoleArn=ci_role("dev", "deploy"), RoleSessionName="me")


def test_a_deployment_of_everyday_changes_passes_with_the_deploy_role_alone(
    account: Box, deployer: dict[str, str], tmp_path: Path
) -> None:
    """The changes are settings, a secret and a team with its role, and the removal of all of them."""
    copy = EnvironmentCopy(account, tmp_path / "project")
    copy_project(copy.folder)
    committed = copy.stack_file.read_text()
    copy.change(
        database__backup_days=3,
        secrets__names=["grafana/admin", "pager/key"],
        cluster__general_pool__labels={"example.com/team": "vision"},
        cluster__teams={
            "data-science": {"namespaces": ["data-science", "data-science-*"], "policy": "edit"},
            "vision": {"namespaces": ["vision", "vision-*"]},
        },
    )
    arguments = ("--stack", "dev", "--yes", "--skip-preview")
    as_deployer = functools.partial(account.pulumi, cwd=copy.folder, **deployer)  # pyright: ignore[reportArgumentType]
    try:
        as_deployer("up", *arguments)
        assert account.client("iam").get_role(RoleName=f"{PREFIX}-cluster-team-vision")
    finally:
        copy.stack_file.write_text(committed)
        as_deployer("up", *arguments)


def _buckets(account: Box) -> list[str]:
    return [bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]]
