"""Guarantees of every environment about access, encryption and audit records."""

import json
import re
from typing import Any

import pytest
import yaml

from mlp.recording import Recorded
from tests.contract.iam import Wildcard, as_list, documents, wildcards
from tests.contract.programs import PLATFORM, ROOT, STACKS, Program, program

KEY_ITSELF = "in a key policy, the resource `*` is the key that the policy is attached to"

# (resource, statement): why a `*` cannot be avoided there. Anything else that allows `*` fails the test.
ALLOWED_WILDCARDS = {
    **{
        (f"keys-{purpose}", "AccountAdministration"): f"{KEY_ITSELF}; IAM policies of the account decide who may use it"
        for purpose in ("secrets", "cluster", "data", "logs")
    },
    ("keys-data", "PublishFromThisAccount"): f"{KEY_ITSELF}; services of this account only",
    ("keys-data", "PublishEventsToTopics"): f"{KEY_ITSELF}; for topics of this account only",
    ("keys-logs", "EncryptLogGroups"): f"{KEY_ITSELF}; for log groups of this account and region only",
    ("keys-data", "EncryptVolumesOfNodes"): f"{KEY_ITSELF}; for the account's Auto Scaling only",
    ("keys-data", "LendToVolumesOfNodes"): f"{KEY_ITSELF}; for the account's Auto Scaling only, and for volumes",
    ("node-role-joining", "DescribeItself"): "EC2 authorises Describe calls on all resources only; one region",
    ("platform-autoscaler-pod-policy", "FindGroups"): "these calls know no resources; one region",
    ("identities-push-images", "SignIn"): "the token's call knows no resources; one region",
    ("identities-read-cluster", "DescribeNodes"): "these calls know no resources; one region",
    ("identities-read", "DescribeNetwork"): "EC2 authorises Describe calls on all resources only; one region",
    ("identities-read", "ListWithoutResources"): "these list calls know no resources",
    ("identities-read", "FindDatabases"): "a search by resource id is authorised on all instances; it only reads",
    ("boundary-policy", "LookAtNodes"): "these calls know no resources; one region, and a boundary grants nothing",
    ("identities-deploy-operations", "EndSubscriptions"): "Unsubscribe knows no resources; one region",
}


def test_nothing_allows_a_wildcard_without_a_written_reason(environment: Program):
    found = {each for each in wildcards(environment.aws) if (each.resource, each.sid) not in ALLOWED_WILDCARDS}
    assert found == set()


def test_every_reason_for_a_wildcard_is_still_needed():
    needed = {(each.resource, each.sid) for stack in STACKS for each in wildcards(program(stack).aws)}
    assert set(ALLOWED_WILDCARDS) - needed == set()


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"Action": "*", "Resource": "arn:aws:s3:::lake"}, "*"),
        ({"Action": ["s3:GetObject", "s3:*"], "Resource": "arn:aws:s3:::lake"}, "s3:*"),
        ({"Action": "s3:GetObject", "Resource": ["arn:aws:s3:::lake", "*"]}, "*"),
        ({"NotAction": "iam:CreateUser", "Resource": "arn:aws:s3:::lake"}, "NotAction *"),
        ({"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::lake"}, "*"),
        ({"Action": "sts:AssumeRole", "Principal": "*"}, "principal *"),
        ({"Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}, "principal *"),
    ],
    ids=str,
)
def test_a_planted_wildcard_is_caught(planted: dict[str, Any], found: str):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "Planted", "Effect": "Allow", **planted}]})
    assert found in {each.what for each in wildcards([recorded("planted", {"policy": policy})])}


def test_a_wildcard_planted_in_a_component_is_caught_in_the_whole_program(monkeypatch: pytest.MonkeyPatch):
    from components.network import flow_logs
    from tests.contract.programs import configuration, run_main

    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
    }
    monkeypatch.setattr(flow_logs, "delivery_policy", lambda scope, arn: json.dumps(wide))  # pyright: ignore[reportUnknownLambdaType]
    found = set(wildcards(run_main("dev", configuration("dev")).resources))
    assert Wildcard("network-flow-logs-delivery-policy", "All", "logs:*") in found


def recorded(name: str, inputs: dict[str, Any]) -> Recorded:
    return Recorded(
        typ="aws:iam/policy:Policy",
        name=name,
        urn="",
        parent="",
        provider="",
        custom=True,
        protect=False,
        depends_on=(),
        inputs=inputs,
    )


def test_policies_are_found_in_every_kind_of_resource_that_has_one(environment: Program):
    assert {resource.typ for resource, _ in documents(environment.aws)} >= {
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:kms/key:Key",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:sns/topicPolicy:TopicPolicy",
    }


def test_nothing_lets_the_whole_internet_in(environment: Program):
    for rule in environment.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        assert rule.inputs.get("cidrIpv4") != "0.0.0.0/0", rule.name
        assert rule.inputs.get("cidrIpv6") != "::/0", rule.name
    for group in environment.of_type("aws:ec2/securityGroup:SecurityGroup"):
        assert not {"ingress", "egress"} & set(group.inputs), (
            f"{group.name} has rules that are no resources of their own"
        )


def test_the_database_is_not_public_and_has_no_ingress_that_nobody_named(environment: Program):
    [database] = environment.of_type("aws:rds/instance:Instance")
    assert database.inputs["publiclyAccessible"] is False
    assert database.inputs["storageEncrypted"] is True
    rules = environment.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert [rule.name for rule in rules if rule.name.startswith("database-") and "cidrIpv4" in rule.inputs] == []


def of_bucket(environment: Program, kind: str, bucket: Recorded) -> dict[str, Any]:
    token = f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}"
    [found] = [each for each in environment.of_type(token) if each.inputs["bucket"] == f"{bucket.name}-id"]
    return found.inputs


def buckets(environment: Program) -> list[Recorded]:
    found = environment.of_type("aws:s3/bucket:Bucket")
    assert len(found) == 4
    return found


def test_every_bucket_is_versioned_encrypted_and_closed_to_the_public(environment: Program):
    for bucket in buckets(environment):
        assert of_bucket(environment, "BucketVersioning", bucket)["versioningConfiguration"]["status"] == "Enabled"
        [rule] = of_bucket(environment, "BucketServerSideEncryptionConfiguration", bucket)["rules"]
        # Log delivery cannot write with a key of one's own.
        expected = "AES256" if bucket.name.endswith("access-logs") else "aws:kms"
        assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == expected, bucket.name
        block = of_bucket(environment, "BucketPublicAccessBlock", bucket)
        for switch in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
            assert block[switch] is True, f"{bucket.name}: {switch}"


def test_every_bucket_refuses_plain_http(environment: Program):
    for bucket in buckets(environment):
        policy = json.loads(of_bucket(environment, "BucketPolicy", bucket)["policy"])
        denials = [each for each in policy["Statement"] if each["Effect"] == "Deny" and each["Principal"] == "*"]
        tls = [each for each in denials if each.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}]
        assert tls, bucket.name
        assert any("s3:*" in as_list(each["Action"]) for each in tls), bucket.name


def test_every_bucket_but_the_log_bucket_itself_records_access(environment: Program):
    [log_bucket] = [bucket for bucket in buckets(environment) if bucket.name.endswith("access-logs")]
    for bucket in buckets(environment):
        if bucket is not log_bucket:
            assert of_bucket(environment, "BucketLogging", bucket)["targetBucket"] == f"{log_bucket.name}-id"


def test_descriptions_of_security_groups_and_their_rules_are_ones_that_ec2_takes(environment: Program):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html"""
    kinds = ("aws:ec2/securityGroup:", "aws:vpc/securityGroupIngressRule:", "aws:vpc/securityGroupEgressRule:")
    found = [each for each in environment.resources if each.typ.startswith(kinds)]
    assert len(found) > 10
    for each in found:
        assert re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}", each.inputs["description"]), each.name


def test_every_log_group_is_encrypted_and_forgets_after_a_while(environment: Program):
    groups = environment.of_type("aws:cloudwatch/logGroup:LogGroup")
    assert groups
    for group in groups:
        assert group.inputs["retentionInDays"] > 0, group.name
        assert "keys-logs" in group.inputs["kmsKeyId"], group.name


def test_stack_files_hold_settings_and_no_secrets_nor_account_numbers():
    """Beside `config` the engine stores the encryption settings of secrets, which are useless without the key."""
    for path in (ROOT / "stacks").glob("Pulumi.*.yaml"):
        text = path.read_text()
        content = yaml.safe_load(text)
        assert set(content["config"]) == {PLATFORM}, path.name
        assert set(content) - {"config"} <= {"encryptionsalt", "encryptedkey", "secretsprovider"}, path.name
        settings = yaml.safe_dump(content["config"])
        assert not re.search(r"secure:|AKIA|(?<!\d)\d{12}(?!\d)", settings), path.name
