"""Policies of keys, secrets, topics and queues, and calls to KMS that services make in the caller's name."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.principals import ROOT, Principals, allow, document, refused
from sandbox.tests.live.emulator.running import ACCOUNT, Running

BUCKET = "sealed-data"


@pytest.fixture(scope="module")
def principals(emulator: Running) -> Principals:
    return Principals(emulator)


@pytest.fixture(scope="module")
def own_key(emulator: Running) -> str:
    return str(emulator.client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": "ml"}])["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def sealed(emulator: Running, own_key: str) -> Iterator[str]:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": own_key}}
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=BUCKET, Key="a/one", Body=b"x")
    yield BUCKET
    for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def _via_s3(action: str, key: str, path: str = "*") -> dict[str, Any]:
    condition = {
        "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{BUCKET}/{path}"},
    }
    return dict(allow(f"kms:{action}", key, Condition=condition))


def test_reading_a_sealed_object_needs_its_key(principals: Principals, sealed: str, own_key: str):
    objects = allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{sealed}/*")
    without = principals.act_as(objects)("s3")
    assert f'kms:Decrypt on resource: "{own_key}"' in refused(without.get_object, Bucket=sealed, Key="a/one")
    reader = principals.act_as(objects, _via_s3("Decrypt", own_key, "a/*"))("s3")
    assert reader.get_object(Bucket=sealed, Key="a/one")["Body"].read() == b"x"
    assert "kms:GenerateDataKey" in refused(reader.put_object, Bucket=sealed, Key="a/two", Body=b"y")
    writer = principals.act_as(objects, _via_s3("GenerateDataKey", own_key))("s3")
    writer.put_object(Bucket=sealed, Key="b/two", Body=b"y")
    assert "kms:Decrypt" in refused(reader.get_object, Bucket=sealed, Key="b/two")


def test_a_key_for_s3_opens_nothing_by_itself(principals: Principals, emulator: Running, own_key: str):
    text = emulator.client("kms").encrypt(KeyId=own_key, Plaintext=b"x")["CiphertextBlob"]
    kms = principals.act_as(_via_s3("Decrypt", own_key))("kms")
    assert "kms:Decrypt" in refused(kms.decrypt, CiphertextBlob=text)


def test_identity_policies_count_only_where_the_key_policy_lets_them(principals: Principals, emulator: Running):
    owner, role = emulator.client("kms"), principals.role(allow("kms:*"))
    session = principals.emulator.client("kms", **principals.session(role))
    key = owner.create_key()["KeyMetadata"]["Arn"]
    session.encrypt(KeyId=key, Plaintext=b"x")
    only = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:DescribeKey", "Resource": "*"}
    owner.put_key_policy(KeyId=key, PolicyName="default", Policy=document(only))
    session.describe_key(KeyId=key)
    assert "no resource-based policy allows the kms:Encrypt" in refused(session.encrypt, KeyId=key, Plaintext=b"x")
    owner.encrypt(KeyId=key, Plaintext=b"x")


def test_a_grant_allows_what_it_names_under_its_encryption_context(principals: Principals, emulator: Running):
    owner, role = emulator.client("kms"), principals.role()
    key = owner.create_key()["KeyMetadata"]["Arn"]
    session = principals.emulator.client("kms", **principals.session(role))
    owner.create_grant(
        KeyId=key,
        GranteePrincipal=role,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"team": "ml"}},
    )
    session.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"team": "ml", "more": "x"})
    refused(session.encrypt, KeyId=key, Plaintext=b"x")
    refused(session.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"team": "web"})
    refused(session.generate_data_key, KeyId=key, KeySpec="AES_256", EncryptionContext={"team": "ml"})


def test_keys_are_told_by_alias_and_tag(principals: Principals, emulator: Running, own_key: str):
    emulator.client("kms").create_alias(AliasName="alias/told", TargetKeyId=own_key)
    by_alias = allow("kms:Encrypt", Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/told"]}})
    by_tag = allow("kms:DescribeKey", Condition={"StringEquals": {"aws:ResourceTag/team": "ml"}})
    kms = principals.act_as(by_alias, by_tag)("kms")
    kms.encrypt(KeyId=own_key, Plaintext=b"x")
    kms.describe_key(KeyId="alias/told")
    other = emulator.client("kms").create_key()["KeyMetadata"]["KeyId"]
    refused(kms.encrypt, KeyId=other, Plaintext=b"x")
    refused(kms.describe_key, KeyId=other)


def test_a_new_key_must_be_born_with_its_tags(principals: Principals):
    own = {"StringEquals": {"aws:RequestTag/team": "ml"}}
    kms = principals.act_as(
        allow("kms:CreateKey", Condition=own),
        allow("kms:TagResource", Condition={**own, "Null": {"aws:ResourceTag/team": "true"}}),
    )("kms")
    assert "kms:CreateKey" in refused(kms.create_key)
    assert "kms:CreateKey" in refused(kms.create_key, Tags=[{"TagKey": "team", "TagValue": "web"}])
    key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "ml"}])["KeyMetadata"]["KeyId"]
    assert "kms:TagResource" in refused(kms.tag_resource, KeyId=key, Tags=[{"TagKey": "team", "TagValue": "ml"}])


def test_associations_belong_to_the_resources_that_they_join(principals: Principals, emulator: Running):
    owner = emulator.client("ec2")
    vpc = owner.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = owner.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    table = owner.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    owner.create_tags(Resources=[subnet, table], Tags=[{"Key": "team", "Value": "ml"}])
    own = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    ec2 = principals.act_as(allow("ec2:DisassociateRouteTable", Condition=own))("ec2")
    association = owner.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    ec2.disassociate_route_table(AssociationId=association)
    owner.delete_tags(Resources=[table], Tags=[{"Key": "team"}])
    association = owner.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert f":route-table/{table} because" in refused(ec2.disassociate_route_table, AssociationId=association)


def test_what_belongs_to_a_cluster_is_told_by_its_whole_arn_and_its_tags(
    principals: Principals, emulator: Running, subnets: list[str]
):
    trust = document({"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"})
    owner = emulator.client("eks")
    for name, team in (("own", "ml"), ("other", "web")):
        owner.create_cluster(
            name=name,
            version="1.36",
            roleArn=principals.role(trust=trust),
            resourcesVpcConfig={"subnetIds": subnets},
            accessConfig={"authenticationMode": "API"},
            tags={"team": team},
        )
    principal = principals.role()
    entry = owner.create_access_entry(clusterName="own", principalArn=principal, tags={"team": "ml"})["accessEntry"]
    own = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    eks = principals.act_as(
        allow("eks:DescribeCluster", Condition=own), allow("eks:DescribeAccessEntry", entry["accessEntryArn"])
    )("eks")
    eks.describe_cluster(name="own")
    eks.describe_access_entry(clusterName="own", principalArn=principal)
    assert ":cluster/other because" in refused(eks.describe_cluster, name="other")
    assert "eks:DescribeAccessEntry" in refused(eks.describe_access_entry, clusterName="other", principalArn=principal)
    for name in ("own", "other"):
        owner.delete_cluster(name=name)


def test_a_secret_with_a_key_of_its_own_needs_both(principals: Principals, emulator: Running, own_key: str):
    secrets = emulator.client("secretsmanager")
    arn = secrets.create_secret(Name="team/db", SecretString="hunter2", KmsKeyId=own_key)["ARN"]
    plain = secrets.create_secret(Name="team/plain", SecretString="x")["ARN"]
    reads = allow("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:team/*")
    without = principals.act_as(reads)("secretsmanager")
    assert without.get_secret_value(SecretId=plain)["SecretString"] == "x"
    assert "kms:Decrypt" in refused(without.get_secret_value, SecretId="team/db")
    condition = {
        "StringEquals": {
            "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
            "kms:EncryptionContext:SecretARN": arn,
        }
    }
    reader = principals.act_as(reads, allow("kms:Decrypt", own_key, Condition=condition))("secretsmanager")
    assert reader.get_secret_value(SecretId="team/db")["SecretString"] == "hunter2"
    assert "secretsmanager:PutSecretValue" in refused(reader.put_secret_value, SecretId=arn, SecretString="y")


def test_a_secret_policy_denies_even_the_administrator(emulator: Running):
    secrets = emulator.client("secretsmanager")
    secrets.create_secret(Name="closed", SecretString="x")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    secrets.put_resource_policy(SecretId="closed", ResourcePolicy=document(statement))
    assert "explicit deny in a resource-based policy" in refused(secrets.get_secret_value, SecretId="closed")
    secrets.delete_resource_policy(SecretId="closed")
    secrets.get_secret_value(SecretId="closed")


def test_topics_and_queues_open_to_whom_their_policy_names(principals: Principals, emulator: Running):
    role = principals.role()
    session = principals.session(role)
    topic = emulator.client("sns").create_topic(Name="alerts-for-role")["TopicArn"]
    queue = emulator.client("sqs").create_queue(QueueName="jobs-for-role")["QueueUrl"]
    sns, sqs = emulator.client("sns", **session), emulator.client("sqs", **session)
    assert "sns:Publish on resource: " + topic in refused(sns.publish, TopicArn=topic, Message="x")
    assert ":jobs-for-role because" in refused(sqs.send_message, QueueUrl=queue, MessageBody="x")

    def opened(action: str) -> str:
        return document({"Effect": "Allow", "Principal": {"AWS": role}, "Action": action, "Resource": "*"})

    emulator.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=opened("sns:Publish")
    )
    emulator.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": opened("sqs:SendMessage")})
    sns.publish(TopicArn=topic, Message="x")
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert "sqs:ReceiveMessage" in refused(sqs.receive_message, QueueUrl=queue)


def _answer(call: Callable[..., Any], **arguments: Any) -> str:
    try:
        return str(call(**arguments))
    except ClientError as error:
        return str(error)


@pytest.mark.parametrize(
    ("action", "pattern", "service", "call", "arguments"),
    [
        ("dynamodb:GetItem", "dynamodb:us-east-1:{}:table/own", "dynamodb", "get_item", {"Key": {"id": {"S": "1"}}}),
        ("logs:PutRetentionPolicy", "logs:us-east-1:{}:log-group:own", "logs", "put_retention_policy", {}),
        ("ecr:BatchGetImage", "ecr:us-east-1:{}:repository/own", "ecr", "batch_get_image", {}),
        ("ssm:GetParameter", "ssm:us-east-1:{}:parameter/own", "ssm", "get_parameter", {}),
        ("events:DescribeRule", "events:us-east-1:{}:rule/own", "events", "describe_rule", {}),
        ("sagemaker:DescribeModel", "sagemaker:us-east-1:{}:model/own", "sagemaker", "describe_model", {}),
        ("eks:DescribeCluster", "eks:us-east-1:{}:cluster/own", "eks", "describe_cluster", {}),
        ("iam:GetRole", "iam::{}:role/own", "iam", "get_role", {}),
        ("cloudwatch:DeleteAlarms", "cloudwatch:us-east-1:{}:alarm:own", "cloudwatch", "delete_alarms", {}),
        ("budgets:ViewBudget", "budgets::{}:budget/own", "budgets", "describe_budget", {"AccountId": ACCOUNT}),
        (
            "autoscaling:SetDesiredCapacity",
            "autoscaling:us-east-1:{}:autoScalingGroup:*:autoScalingGroupName/own",
            "autoscaling",
            "set_desired_capacity",
            {"DesiredCapacity": 1},
        ),
        ("rds:ModifyDBInstance", "rds:us-east-1:{}:db:own", "rds", "modify_db_instance", {}),
    ],
)
def test_a_policy_for_one_name_reaches_no_other(
    principals: Principals, action: str, pattern: str, service: str, call: str, arguments: dict[str, Any]
):
    named: dict[str, Callable[[str], dict[str, Any]]] = {
        "dynamodb": lambda name: {"TableName": name},
        "logs": lambda name: {"logGroupName": name, "retentionInDays": 7},
        "ecr": lambda name: {"repositoryName": name, "imageIds": [{"imageTag": "1"}]},
        "ssm": lambda name: {"Name": f"/{name}"},
        "events": lambda name: {"Name": name},
        "sagemaker": lambda name: {"ModelName": name},
        "eks": lambda name: {"name": name},
        "iam": lambda name: {"RoleName": name},
        "cloudwatch": lambda name: {"AlarmNames": [name]},
        "budgets": lambda name: {"BudgetName": name},
        "autoscaling": lambda name: {"AutoScalingGroupName": name},
        "rds": lambda name: {"DBInstanceIdentifier": name},
    }
    client = principals.act_as(allow(action, f"arn:aws:{pattern.format(ACCOUNT)}*"))(service)
    # It does not exist; whether it may be asked for is the question.
    assert "not authorized" not in _answer(getattr(client, call), **named[service]("own-one"), **arguments)
    assert f"is not authorized to perform: {action}" in refused(
        getattr(client, call), **named[service]("other"), **arguments
    )


def test_a_wildcard_trust_document_is_read_as_written(principals: Principals):
    trust = json.loads(document({"Effect": "Allow", "Principal": ROOT, "Action": "sts:*"}))
    caller = principals.act_as(allow("sts:AssumeRole"))("sts")
    caller.assume_role(RoleArn=principals.role(trust=json.dumps(trust)), RoleSessionName="next")
