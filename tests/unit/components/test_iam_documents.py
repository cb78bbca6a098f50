"""Policy builders: stable output, and no wildcard without a reason."""

import json
from collections.abc import Callable

import pytest

from components.iam_documents import (
    MANAGED_POLICY_LIMIT,
    Scope,
    Statement,
    deny_insecure_transport,
    describe_only,
    document,
    managed_document,
    trust_document,
)

from .policies import SCOPE

READ = Statement(sid="Read", actions=["s3:GetObject"], resources=["arn:aws:s3:::bucket/*"])


def test_the_same_statement_in_another_order_renders_the_same_document():
    one = Statement(
        sid="A",
        actions=["s3:PutObject", "s3:GetObject"],
        resources=["arn:aws:s3:::b/*", "arn:aws:s3:::a/*"],
        conditions={"StringEquals": {"k2": ["b", "a"], "k1": "x"}, "Bool": {"k3": "true"}},
    )
    other = Statement(
        sid="A",
        actions=["s3:GetObject", "s3:PutObject"],
        resources=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"],
        conditions={"Bool": {"k3": "true"}, "StringEquals": {"k1": "x", "k2": ["a", "b"]}},
    )
    assert document([one]) == document([other])


def test_a_statement_renders_in_the_form_that_aws_returns():
    statement = Statement(
        sid="Publish",
        principals={"Service": ["sns.amazonaws.com"]},
        actions=["sns:Publish"],
        resources=["arn:aws:sns:us-east-1:123456789012:topic"],
        conditions={"StringEquals": {"aws:SourceAccount": ["123456789012"]}},
    )
    assert json.loads(document([statement])) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Publish",
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": "arn:aws:sns:us-east-1:123456789012:topic",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            }
        ],
    }


def test_not_resources_render_as_not_resource():
    deny = Statement(sid="A", effect="Deny", actions=["s3:GetObject"], not_resources=["arn:aws:s3:::state/*"])
    assert deny.render()["NotResource"] == "arn:aws:s3:::state/*"
    assert "Resource" not in deny.render()


def test_a_trust_document_has_no_resource():
    statement = Statement(
        sid="T", principals={"Service": ["ec2.amazonaws.com"]}, actions=["sts:AssumeRole"], resources=["role"]
    )
    [rendered] = json.loads(trust_document(statement))["Statement"]
    assert "Resource" not in rendered
    assert rendered["Principal"] == {"Service": "ec2.amazonaws.com"}


def test_a_wildcard_with_a_reason_is_allowed_and_the_reason_is_not_rendered():
    statement = Statement(sid="A", actions=["ec2:DescribeVpcs"], resources=["*"], reason="no resource-level permission")
    assert "reason" not in document([statement])


def test_plain_http_is_denied_to_everybody():
    rendered = deny_insecure_transport("Tls", ["s3:*"], ["arn:aws:s3:::bucket"]).render()
    assert rendered["Effect"] == "Deny"
    assert rendered["Principal"] == "*"
    assert rendered["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Statement(sid="A", actions=["s3:*"], resources=["arn:aws:s3:::b"]),
            r"statement A allows 's3:\*': name what is needed, or give `reason`",
        ),
        (lambda: Statement(sid="A", actions=["s3:Get*"], resources=["arn:aws:s3:::b"]), r"allows 's3:Get\*'"),
        (lambda: Statement(sid="A", actions=["s3:GetObject"], resources=["*"]), r"allows '\*'"),
        (
            lambda: Statement(sid="A", principals="*", actions=["s3:GetObject"], resources=["arn:aws:s3:::b/x"]),
            "statement A allows every principal: add a condition",
        ),
        (lambda: Statement(sid="A", actions=[], resources=["x"]), "statement A: give actions, and either resources"),
        (lambda: Statement(sid="A", actions=["s3:GetObject"]), "either resources or not_resources"),
        (
            lambda: Statement(sid="A", actions=["s3:GetObject"], resources=["x"], not_resources=["y"]),
            "either resources or not_resources",
        ),
        (
            lambda: Statement(sid="A", actions=["s3:GetObject"], not_resources=["arn:aws:s3:::b/*"]),
            "statement A: not_resources allows what nobody listed",
        ),
        (
            lambda: Statement(sid="not a sid", actions=["s3:GetObject"], resources=["x"]),
            "sid must be letters and digits only, got 'not a sid'",
        ),
        (lambda: document([READ, READ]), "more than one statement named Read: give each its own sid"),
        (
            lambda: describe_only("D", ["ec2:DescribeVpcs", "ec2:DeleteVpc"], "reason"),
            "statement D: 'ec2:DeleteVpc' is not a describe-type action",
        ),
        (
            lambda: Scope(partition="aws", account_id="12345", region="us-east-1"),
            "account_id must be 12 digits, got '12345'",
        ),
    ],
)
def test_bad_statements_are_refused(build: Callable[[], object], message: str):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_managed_policy_that_aws_would_refuse_for_its_size_is_refused_here():
    statements = [
        Statement(sid=f"S{number}", actions=["s3:GetObject"], resources=[f"arn:aws:s3:::bucket-{number}/*"])
        for number in range(80)
    ]
    with pytest.raises(ValueError, match=rf"managed policy has \d+ characters, AWS allows {MANAGED_POLICY_LIMIT}"):
        managed_document(statements)
    assert len(document(statements)) > MANAGED_POLICY_LIMIT
    assert managed_document(statements[:10]) == document(statements[:10])


def test_arns_carry_partition_account_and_region():
    china = Scope(partition="aws-cn", account_id="123456789012", region="cn-north-1")
    assert china.arn("kms", "key/*") == "arn:aws-cn:kms:cn-north-1:123456789012:key/*"
    assert china.root == "arn:aws-cn:iam::123456789012:root"
    assert SCOPE.global_arn("iam", "role/x") == "arn:aws:iam::123456789012:role/x"
    assert SCOPE.bucket_arn("b") == "arn:aws:s3:::b"
    assert SCOPE.bucket_arn("b", "*") == "arn:aws:s3:::b/*"
