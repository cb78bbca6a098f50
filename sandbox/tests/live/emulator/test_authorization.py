"""Least privilege, verified by real denials: a call that no policy allows fails."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.principals import Principals, allow, deny, document, refused
from sandbox.tests.live.emulator.running import ACCOUNT, Running

BUCKET, OTHER = "team-data", "other-data"


@pytest.fixture(scope="module")
def principals(emulator: Running) -> Principals:
    return Principals(emulator)


@pytest.fixture(scope="module", autouse=True)
def buckets(emulator: Running) -> Iterator[None]:
    s3 = emulator.client("s3")
    for bucket in (BUCKET, OTHER):
        s3.create_bucket(Bucket=bucket)
        for key in ("a/one", "b/two"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    yield
    for bucket in (BUCKET, OTHER):
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
        s3.delete_bucket(Bucket=bucket)


@pytest.fixture(scope="module")
def prefix_role(principals: Principals) -> Callable[[str], Any]:
    return principals.act_as(
        allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/a/*"),
        allow("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", Condition={"StringLike": {"s3:prefix": "a/*"}}),
    )


def test_a_role_of_one_prefix_reads_and_lists_that_prefix(prefix_role: Callable[[str], Any]):
    s3 = prefix_role("s3")
    assert s3.get_object(Bucket=BUCKET, Key="a/one")["Body"].read() == b"x"
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="a/")["KeyCount"] == 1
    assert s3.head_object(Bucket=BUCKET, Key="a/one")["ContentLength"] == 1


@pytest.mark.parametrize(
    ("service", "call", "arguments", "action"),
    [
        ("s3", "get_object", {"Bucket": BUCKET, "Key": "b/two"}, "s3:GetObject"),
        ("s3", "get_object", {"Bucket": OTHER, "Key": "a/one"}, "s3:GetObject"),
        ("s3", "put_object", {"Bucket": BUCKET, "Key": "a/one", "Body": b""}, "s3:PutObject"),
        ("s3", "list_objects_v2", {"Bucket": BUCKET, "Prefix": "b/"}, "s3:ListBucket"),
        ("s3", "list_objects_v2", {"Bucket": BUCKET}, "s3:ListBucket"),
        ("s3", "get_object", {"Bucket": BUCKET, "Key": "a/missing"}, "s3:ListBucket"),
        ("s3", "list_buckets", {}, "s3:ListAllMyBuckets"),
        ("s3", "get_bucket_policy", {"Bucket": BUCKET}, "s3:GetBucketPolicy"),
        ("iam", "list_roles", {}, "iam:ListRoles"),
        ("iam", "create_user", {"UserName": "intruder"}, "iam:CreateUser"),
        ("secretsmanager", "list_secrets", {}, "secretsmanager:ListSecrets"),
        ("ec2", "describe_instances", {}, "ec2:DescribeInstances"),
        ("dynamodb", "get_item", {"TableName": "t", "Key": {"id": {"S": "1"}}}, "dynamodb:GetItem"),
        ("sns", "list_topics", {}, "sns:ListTopics"),
        ("sqs", "list_queues", {}, "sqs:ListQueues"),
        ("eks", "describe_cluster", {"name": "c"}, "eks:DescribeCluster"),
        ("sagemaker", "list_models", {}, "sagemaker:ListModels"),
        ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups"),
        ("cloudwatch", "list_metrics", {}, "cloudwatch:ListMetrics"),
    ],
)
def test_it_can_do_nothing_else(
    prefix_role: Callable[[str], Any], service: str, call: str, arguments: dict[str, Any], action: str
):
    message = refused(getattr(prefix_role(service), call), **arguments)
    assert f"/me is not authorized to perform: {action} on resource: " in message
    assert f"because no identity-based policy allows the {action} action" in message


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("s3", "list_buckets", "AccessDenied", 403),
        ("iam", "list_roles", "AccessDenied", 403),
        ("ec2", "describe_vpcs", "UnauthorizedOperation", 403),
        ("sns", "list_topics", "AuthorizationError", 403),
        ("sqs", "list_queues", "AccessDenied", 400),
        ("kms", "list_keys", "AccessDeniedException", 400),
        ("eks", "list_clusters", "AccessDeniedException", 403),
        ("rds", "describe_db_instances", "AccessDenied", 403),
    ],
)
def test_a_refusal_has_the_code_and_status_of_its_service(
    prefix_role: Callable[[str], Any], service: str, call: str, code: str, status: int
):
    with pytest.raises(ClientError) as failure:
        getattr(prefix_role(service), call)()
    assert failure.value.response["Error"]["Code"] == code
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert failure.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_everybody_may_ask_who_they_are(prefix_role: Callable[[str], Any]):
    assert ":assumed-role/role-" in prefix_role("sts").get_caller_identity()["Arn"]


def test_the_reason_is_in_the_log(emulator: Running, prefix_role: Callable[[str], Any]):
    refused(prefix_role("s3").delete_object, Bucket=BUCKET, Key="a/one")
    [line] = [line for line in emulator.log.read_text().splitlines() if "s3:DeleteObject on" in line]
    assert "denied: User: arn:aws:sts::" in line


def test_an_explicit_deny_wins_over_any_allow(principals: Principals):
    s3 = principals.act_as(allow("s3:*"), deny("s3:GetObject", f"arn:aws:s3:::{BUCKET}/b/*"))("s3")
    s3.get_object(Bucket=BUCKET, Key="a/one")
    assert "with an explicit deny in an identity-based policy" in refused(s3.get_object, Bucket=BUCKET, Key="b/two")


def test_a_bucket_policy_opens_to_a_role_and_closes_to_it(emulator: Running, principals: Principals):
    role = principals.role()
    s3, owner = emulator.client("s3", **principals.session(role)), emulator.client("s3")
    statement = {"Principal": {"AWS": role}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{OTHER}/*"}
    assert "no identity-based policy" in refused(s3.get_object, Bucket=OTHER, Key="a/one")
    owner.put_bucket_policy(Bucket=OTHER, Policy=document({"Effect": "Allow", **statement}))
    s3.get_object(Bucket=OTHER, Key="a/one")
    owner.put_bucket_policy(Bucket=OTHER, Policy=document({"Effect": "Deny", **statement}))
    assert "explicit deny in a resource-based policy" in refused(s3.get_object, Bucket=OTHER, Key="a/one")
    owner.delete_bucket_policy(Bucket=OTHER)


def test_a_permissions_boundary_limits_what_the_policy_allows(principals: Principals):
    boundary = principals.iam.create_policy(
        PolicyName=principals.name("boundary"), PolicyDocument=document(allow("s3:ListAllMyBuckets"))
    )["Policy"]["Arn"]
    role = principals.role(allow("s3:*"), PermissionsBoundary=boundary)
    s3 = principals.emulator.client("s3", **principals.session(role))
    s3.list_buckets()
    assert "no permissions boundary allows the s3:GetObject" in refused(s3.get_object, Bucket=BUCKET, Key="a/one")


def test_a_session_policy_limits_what_the_policy_allows(principals: Principals):
    role = principals.role(allow("s3:*"))
    session = principals.session(role, Policy=document(allow("s3:ListAllMyBuckets")))
    s3 = principals.emulator.client("s3", **session)
    s3.list_buckets()
    assert "no session policy allows the s3:GetObject" in refused(s3.get_object, Bucket=BUCKET, Key="a/one")


def test_managed_policies_of_aws_and_of_the_account_count(principals: Principals):
    role = principals.role()
    name = role.rpartition("/")[2]
    s3 = principals.emulator.client("s3", **principals.session(role))
    refused(s3.list_buckets)
    principals.iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    s3.list_buckets()
    assert "s3:PutObject" in refused(s3.put_object, Bucket=BUCKET, Key="a/one", Body=b"")
    own = principals.iam.create_policy(
        PolicyName=principals.name("policy"), PolicyDocument=document(allow("s3:PutObject"))
    )["Policy"]["Arn"]
    principals.iam.attach_role_policy(RoleName=name, PolicyArn=own)
    s3.put_object(Bucket=BUCKET, Key="a/one", Body=b"x")
    principals.iam.create_policy_version(
        PolicyArn=own, PolicyDocument=document(allow("s3:GetObject")), SetAsDefault=True
    )
    refused(s3.put_object, Bucket=BUCKET, Key="a/one", Body=b"")


def test_a_user_is_held_to_the_policies_of_user_and_groups(principals: Principals):
    name, keys = principals.user(allow("s3:ListAllMyBuckets"))
    s3 = principals.emulator.client("s3", **keys)
    s3.list_buckets()
    assert f"user/{name} is not authorized" in refused(s3.get_object, Bucket=BUCKET, Key="a/one")
    group = principals.name("group")
    principals.iam.create_group(GroupName=group)
    principals.iam.put_group_policy(
        GroupName=group, PolicyName="read", PolicyDocument=document(allow("s3:GetObject", "arn:aws:s3:::*/*"))
    )
    principals.iam.add_user_to_group(GroupName=group, UserName=name)
    s3.get_object(Bucket=BUCKET, Key="a/one")
    principals.iam.update_access_key(UserName=name, AccessKeyId=keys["aws_access_key_id"], Status="Inactive")
    assert "InvalidAccessKeyId" in refused(s3.get_object, Bucket=BUCKET, Key="a/one")


def test_session_tags_stand_in_variables_and_conditions(principals: Principals):
    role = principals.role(
        allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/${{aws:PrincipalTag/kubernetes-namespace}}/*"),
        allow("s3:ListAllMyBuckets", Condition={"StringEquals": {"aws:PrincipalTag/team": "ml"}}),
    )
    tags = [{"Key": "kubernetes-namespace", "Value": "a"}, {"Key": "team", "Value": "ml"}]
    s3 = principals.emulator.client("s3", **principals.session(role, Tags=tags))
    s3.get_object(Bucket=BUCKET, Key="a/one")
    s3.list_buckets()
    refused(s3.get_object, Bucket=BUCKET, Key="b/two")
    untagged = principals.emulator.client("s3", **principals.session(role))
    refused(untagged.get_object, Bucket=BUCKET, Key="a/one")
    refused(untagged.list_buckets)


def test_a_star_in_a_tag_is_no_wildcard(principals: Principals):
    role = principals.role(allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/${{aws:PrincipalTag/area}}"))
    s3 = principals.emulator.client("s3", **principals.session(role, Tags=[{"Key": "area", "Value": "*"}]))
    refused(s3.get_object, Bucket=BUCKET, Key="a/one")


def test_transitive_tags_go_on_and_others_stay(principals: Principals):
    target = principals.role(allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/${{aws:PrincipalTag/area}}/*"))
    for transitive, reads in ((["area"], True), ([], False)):
        first = principals.session(
            principals.role(allow("sts:*")),
            Tags=[{"Key": "area", "Value": "a"}],
            TransitiveTagKeys=transitive,
        )
        sts = principals.emulator.client("sts", **first)
        found = sts.assume_role(RoleArn=target, RoleSessionName="next")["Credentials"]
        s3 = principals.emulator.client(
            "s3", aws_access_key_id=found["AccessKeyId"], aws_secret_access_key=found["SecretAccessKey"]
        )
        if reads:
            s3.get_object(Bucket=BUCKET, Key="a/one")
        else:
            refused(s3.get_object, Bucket=BUCKET, Key="a/one")


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [("s3", "list_buckets", "InvalidAccessKeyId"), ("iam", "list_roles", "InvalidClientTokenId")],
)
def test_a_session_that_was_never_begun_is_no_administrator(emulator: Running, service: str, call: str, code: str):
    client = emulator.client(service, aws_access_key_id="ASIAQQQQQQQQQQQQQQQQ", aws_session_token="x")
    assert code in refused(getattr(client, call))


def test_a_token_of_another_session_is_refused(principals: Principals):
    role = principals.role(allow("iam:*"))
    mixed = principals.session(role) | {"aws_session_token": principals.session(role)["aws_session_token"]}
    assert "InvalidClientTokenId" in refused(principals.emulator.client("iam", **mixed).list_roles)


def test_a_role_is_passed_only_where_that_is_allowed(principals: Principals):
    passed = principals.role()
    statements = [allow("sagemaker:CreateModel"), allow("sagemaker:AddTags")]
    arguments = {
        "ModelName": principals.name("model"),
        "ExecutionRoleArn": passed,
        "PrimaryContainer": {"Image": "x", "ModelDataUrl": f"s3://{BUCKET}/a/one"},
    }
    without = principals.act_as(*statements)("sagemaker")
    assert f"iam:PassRole on resource: {passed}" in refused(without.create_model, **arguments)
    elsewhere = {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}}
    for_eks = principals.act_as(*statements, allow("iam:PassRole", passed, Condition=elsewhere))("sagemaker")
    assert "iam:PassRole" in refused(for_eks.create_model, **arguments)
    here = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    principals.act_as(*statements, allow("iam:PassRole", passed, Condition=here))("sagemaker").create_model(**arguments)


def test_new_resources_are_bound_to_their_tags(principals: Principals):
    own = {"StringEquals": {"aws:RequestTag/team": "ml"}}
    vpcs = f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/*"
    on_create = {"StringEquals": {"ec2:CreateAction": "CreateVpc", "aws:RequestTag/team": "ml"}}
    ec2 = principals.act_as(
        allow("ec2:CreateVpc", vpcs, Condition=own),
        allow("ec2:CreateTags", vpcs, Condition=on_create),
        allow("ec2:DeleteVpc", vpcs, Condition={"StringEquals": {"aws:ResourceTag/team": "ml"}}),
    )("ec2")

    def create(team: str) -> str:
        tags = [{"ResourceType": "vpc", "Tags": [{"Key": "team", "Value": team}]}]
        return str(ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"])

    assert "ec2:CreateVpc" in refused(ec2.create_vpc, CidrBlock="10.9.0.0/16")
    assert "ec2:CreateVpc" in refused(lambda: create("web"))
    own_vpc = create("ml")
    assert "ec2:CreateTags" in refused(ec2.create_tags, Resources=[own_vpc], Tags=[{"Key": "team", "Value": "ml"}])
    other = principals.emulator.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    assert "ec2:DeleteVpc" in refused(ec2.delete_vpc, VpcId=other)
    ec2.delete_vpc(VpcId=own_vpc)


def test_the_administrator_is_held_to_nothing(emulator: Running):
    assert emulator.client("iam").list_roles()["Roles"]
    assert emulator.client("s3").get_object(Bucket=OTHER, Key="a/one")["Body"].read() == b"x"
