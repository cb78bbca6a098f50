"""AWS's evaluation logic, policy by policy: allows, limits, denials, and the policy that a denial names."""

from typing import Any

import pytest

from mlp_sandbox.emulator.authorization.conditions import lookup_in, substitute
from mlp_sandbox.emulator.authorization.documents import (
    Access,
    Document,
    MalformedPolicyError,
    Statement,
    parse,
    resource_matches,
)
from mlp_sandbox.emulator.authorization.evaluation import Caller, Decision, ResourcePolicy, evaluate
from sandbox.tests.live.emulator.principals import allow, deny, document

ACCOUNT, OTHER = "123456789012", "222233334444"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
GET = Access(action="s3:GetObject", resource="arn:aws:s3:::data/a")
EVERYTHING = allow("*")


def docs(*statements: Any) -> tuple[Document, ...]:
    return (parse(document(*statements)),)


def session(**policies: Any) -> Caller:
    return Caller(kind="session", arn=SESSION, account=ACCOUNT, role_arn=ROLE, user_id="AROA1:s", **policies)


def on_resource(principal: Any, *, effect: str = "Allow", account: str = ACCOUNT, **more: Any) -> ResourcePolicy:
    [read] = docs({"Effect": effect, "Principal": principal, "Action": "*", "Resource": "*"})
    return ResourcePolicy(document=read, account=account, **more)


def decide(caller: Caller, policy: ResourcePolicy | None = None) -> Decision:
    return evaluate(caller, GET, lookup_in({}), policy)


def test_nothing_allows_is_a_denial_that_names_the_missing_policy():
    decision = decide(session())
    assert not decision.allowed
    assert decision.reason == "because no identity-based policy allows the s3:GetObject action"


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ({"identity": docs(EVERYTHING, deny("s3:Get*"))}, "with an explicit deny in an identity-based policy"),
        (
            {"identity": docs(EVERYTHING), "boundary": docs(EVERYTHING, deny("s3:*"))},
            "with an explicit deny in a permissions boundary",
        ),
        (
            {"identity": docs(EVERYTHING), "session": docs(EVERYTHING, deny("s3:*"))},
            "with an explicit deny in a session policy",
        ),
        (
            {"identity": docs(EVERYTHING), "boundary": docs(allow("ec2:*"))},
            "because no permissions boundary allows the s3:GetObject action",
        ),
        (
            {"identity": docs(EVERYTHING), "boundary": ()},
            "because no permissions boundary allows the s3:GetObject action",
        ),
        (
            {"identity": docs(EVERYTHING), "session": docs(allow("ec2:*"))},
            "because no session policy allows the s3:GetObject action",
        ),
    ],
)
def test_every_layer_can_say_no(layers: dict[str, Any], reason: str):
    assert decide(session(**layers)).reason == reason


@pytest.mark.parametrize(
    ("principal", "alone", "within_boundary"),
    [
        ("*", True, True),
        ({"AWS": "*"}, True, True),
        ({"AWS": SESSION}, True, True),
        ({"AWS": ROLE}, True, False),
        ({"AWS": "AROA1"}, True, False),
        ({"AWS": ACCOUNT}, False, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, False, False),
        ({"Service": "ec2.amazonaws.com"}, False, False),
    ],
)
def test_a_resource_policy_allows_by_itself_whom_it_names_closely(
    principal: Any, *, alone: bool, within_boundary: bool
):
    policy = on_resource(principal)
    assert decide(session(), policy).allowed is alone
    assert decide(session(boundary=docs(allow("ec2:*"))), policy).allowed is within_boundary


def test_a_user_that_a_resource_names_is_not_held_back_by_a_boundary():
    user = Caller(kind="user", arn=USER, account=ACCOUNT, boundary=docs(allow("ec2:*")))
    assert decide(user, on_resource({"AWS": USER})).allowed


@pytest.mark.parametrize(
    ("principal", "identity", "allowed"),
    [
        ({"AWS": ACCOUNT}, docs(EVERYTHING), True),
        ({"AWS": ACCOUNT}, (), False),
        ({"AWS": ROLE}, (), True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, docs(EVERYTHING), False),
    ],
)
def test_a_sovereign_resource_must_let_identity_policies_speak(principal: Any, identity: Any, *, allowed: bool):
    assert decide(session(identity=identity), on_resource(principal, sovereign=True)).allowed is allowed


def test_a_grant_allows_where_the_policy_does_not():
    assert decide(session(), on_resource({"AWS": OTHER}, sovereign=True, granted=True)).allowed


@pytest.mark.parametrize(
    ("principal", "identity", "allowed"),
    [(ROLE, docs(EVERYTHING), True), (ROLE, (), False), (f"arn:aws:iam::{ACCOUNT}:root", docs(EVERYTHING), True)],
)
def test_another_account_and_ones_own_must_both_allow(principal: str, identity: Any, *, allowed: bool):
    policy = on_resource({"AWS": principal}, account=OTHER)
    assert decide(session(identity=identity), policy).allowed is allowed
    nobody = ResourcePolicy(document=None, account=OTHER)
    assert not decide(session(identity=docs(EVERYTHING)), nobody).allowed


@pytest.mark.parametrize(
    ("principal", "denied"),
    [("*", True), ({"AWS": ROLE}, True), ({"AWS": ACCOUNT}, True), ({"AWS": USER}, False)],
)
def test_a_deny_of_a_resource_meets_whom_it_names(principal: Any, *, denied: bool):
    decision = decide(session(identity=docs(EVERYTHING)), on_resource(principal, effect="Deny"))
    assert decision.allowed is not denied


@pytest.mark.parametrize(("excepted", "denied"), [(ROLE, False), (USER, True), (f"arn:aws:iam::{ACCOUNT}:root", True)])
def test_a_deny_to_all_but_some_meets_the_others(excepted: str, *, denied: bool):
    [read] = docs({"Effect": "Deny", "NotPrincipal": {"AWS": excepted}, "Action": "*", "Resource": "*"})
    decision = decide(session(identity=docs(EVERYTHING)), ResourcePolicy(document=read, account=ACCOUNT))
    assert decision.allowed is not denied


def test_the_administrator_passes_until_a_resource_denies():
    administrator = Caller(kind="administrator", arn=f"arn:aws:iam::{ACCOUNT}:user/a", account=ACCOUNT)
    assert decide(administrator).allowed
    assert not decide(administrator, on_resource({"AWS": ACCOUNT}, effect="Deny")).allowed


@pytest.mark.parametrize(
    ("statement", "applies"),
    [
        (allow("S3:getobject"), True),
        (allow("s3:Get?bject"), True),
        (allow("s3:*Acl"), False),
        (allow("*", "arn:aws:s3:::data/*"), True),
        (allow("*", "arn:aws:s3:::data"), False),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::data/*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}, True),
        (allow("*", Condition={"StringEquals": {"aws:PrincipalTag/team": "ml"}}), True),
        (allow("*", Condition={"StringEquals": {"aws:PrincipalTag/team": "web"}}), False),
        (allow("*", "arn:aws:s3:::data/${aws:PrincipalTag/first}"), True),
        (allow("*", "arn:aws:s3:::data/${aws:PrincipalTag/missing}"), False),
        (allow("*", "arn:aws:s3:::data/${aws:PrincipalTag/missing, 'a'}"), True),
        (allow("*", "arn:aws:s3:::data/${aws:PrincipalTag/star}"), False),
    ],
)
def test_a_statement_applies_to_what_it_lists(statement: Any, *, applies: bool):
    context = {"aws:PrincipalTag/team": ["ml"], "aws:PrincipalTag/first": ["a"], "aws:PrincipalTag/star": ["*"]}
    [read] = docs(statement)[0].statements
    assert isinstance(read, Statement)
    assert read.applies(GET, lookup_in(context)) is applies


def test_variables_are_literal_in_policies_of_the_old_version():
    text = document(allow("*", "arn:aws:s3:::data/${aws:username}")).replace("2012-10-17", "2008-10-17")
    user = Caller(kind="user", arn=USER, account=ACCOUNT, identity=(parse(text),))
    assert not evaluate(user, GET, lookup_in({"aws:username": ["a"]})).allowed


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("*", "*", True),
        ("arn:aws:s3:::b*", "arn:aws:s3:::bucket/key:with:colons", True),
        ("arn:aws:sns:us-east-1:*:t", "arn:aws:sns:us-east-1:123456789012:t", True),
        ("arn:aws:*:t", "arn:aws:sns:us-east-1:123456789012:t", True),
        ("arn:aws:ec2:*:*:instance/*", "*", False),
        ("arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:us-east-1:1:volume/v", False),
        ("arn:aws:s3:::[ab]", "arn:aws:s3:::a", False),
    ],
)
def test_resources_match_by_the_parts_of_their_arn(pattern: str, resource: str, *, matches: bool):
    assert resource_matches(pattern, resource) is matches


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${a:B}", "1"),
        ("x-${a:b}-${a:b}", "x-1-1"),
        ("${a:many}", None),
        ("${a:none}", None),
        ("${a:none, 'd'}", "d"),
        ("${*}", "*"),
        ("${$}", "$"),
    ],
)
def test_variables_take_the_one_value_of_their_key(text: str, expected: str | None):
    assert substitute(text, lookup_in({"a:b": ["1"], "a:many": ["1", "2"]}), pattern=False) == expected


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"Statement": [{"Effect": "Maybe", "Action": "*"}]}', '{"Statement": [{"Effect": "Allow"}]}'],
)
def test_what_is_no_policy_is_an_error_that_shows_it(text: str):
    with pytest.raises(MalformedPolicyError, match="no policy document"):
        parse(text)
