"""The emulated IAM enforces IAM's quotas with its error codes; journals from before the check still replay."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.emulator import quotas
from mlp_sandbox.emulator.quotas.iam import size
from sandbox.tests.unit.emulator.eks_world import trust
from sandbox.tests.unit.emulator.emulated import ACCOUNT, Emulated

_TRUST = trust("ec2.amazonaws.com")


def _policy(characters: int) -> str:
    """Return a policy of exactly that many characters, counted as IAM does."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/"}
    frame = size(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    statement["Resource"] += "x" * (characters - frame)
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=8)


def _refusal(call: Any, *arguments: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    error: Any = caught.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def iam(emulated: Emulated) -> Any:
    client = emulated.client("iam")
    client.create_role(RoleName="team", AssumeRolePolicyDocument=_TRUST)
    client.create_user(UserName="jane")
    client.create_group(GroupName="people")
    return client


@pytest.mark.parametrize(
    ("kind", "holder", "most"), [("Role", "team", 10_240), ("User", "jane", 2_048), ("Group", "people", 5_120)]
)
def test_inline_policies_are_counted_together_and_without_white_space(iam: Any, kind: str, holder: str, most: int):
    put = getattr(iam, f"put_{kind.lower()}_policy")
    name = {f"{kind}Name": holder}
    put(**name, PolicyName="first", PolicyDocument=_policy(most - 200))
    put(**name, PolicyName="second", PolicyDocument=_policy(200))
    put(**name, PolicyName="first", PolicyDocument=_policy(most - 200))  # replaced, not added
    expected = ("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind.lower()} {holder}", 409)
    assert _refusal(put, **name, PolicyName="second", PolicyDocument=_policy(201)) == expected
    assert _refusal(put, **name, PolicyName="third", PolicyDocument=_policy(150)) == expected


def test_a_managed_policy_and_its_versions_have_6144_characters(iam: Any):
    made = iam.create_policy(PolicyName="fits", PolicyDocument=_policy(6_144))["Policy"]["Arn"]
    expected = ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409)
    assert _refusal(iam.create_policy, PolicyName="not", PolicyDocument=_policy(6_145)) == expected
    assert _refusal(iam.create_policy_version, PolicyArn=made, PolicyDocument=_policy(6_145)) == expected
    for _ in range(4):
        iam.create_policy_version(PolicyArn=made, PolicyDocument=_policy(200))
    code, message, _ = _refusal(iam.create_policy_version, PolicyArn=made, PolicyDocument=_policy(200))
    assert (code, "up to 5 versions" in message) == ("LimitExceeded", True)


def test_a_trust_policy_has_2048_characters(iam: Any):
    def trusting(characters: int) -> str:
        text = trust("ec2.amazonaws.com", "sts:AssumeRole")
        return text.replace('"Effect"', f'"Sid": "{"x" * (characters - size(text) - len("Sid") - 6)}", "Effect"')

    assert size(trusting(2_048)) == 2_048
    iam.update_assume_role_policy(RoleName="team", PolicyDocument=trusting(2_048))
    expected = ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)
    assert _refusal(iam.update_assume_role_policy, RoleName="team", PolicyDocument=trusting(2_049)) == expected
    assert _refusal(iam.create_role, RoleName="other", AssumeRolePolicyDocument=trusting(2_049)) == expected


@pytest.mark.parametrize(("kind", "holder"), [("Role", "team"), ("User", "jane"), ("Group", "people")])
def test_ten_managed_policies_can_be_attached(iam: Any, kind: str, holder: str):
    attach, name = getattr(iam, f"attach_{kind.lower()}_policy"), {f"{kind}Name": holder}
    arns = [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=_policy(200))["Policy"]["Arn"] for number in range(11)
    ]
    for arn in arns[:10]:
        attach(**name, PolicyArn=arn)
    attach(**name, PolicyArn=arns[0])  # which is attached
    expected = ("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10", 409)
    assert _refusal(attach, **name, PolicyArn=arns[10]) == expected
    getattr(iam, f"detach_{kind.lower()}_policy")(**name, PolicyArn=arns[0])
    attach(**name, PolicyArn=arns[10])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"RoleName": "r" * 65}, "roleName"),
        ({"RoleName": "a b"}, "roleName"),
        ({"Path": "platform"}, "path"),
        ({"Path": "/" + "p" * 512 + "/"}, "path"),
        ({"Description": "d" * 1_001}, "description"),
        ({"MaxSessionDuration": 43_201}, "maxSessionDuration"),
        ({"Tags": [{"Key": "k" * 129, "Value": "v"}]}, "tags.1.member.key"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "tags.1.member.value"),
        ({"Tags": [{"Key": f"k{number}", "Value": "v"} for number in range(51)]}, "tags"),
    ],
)
def test_names_paths_and_descriptions_have_the_form_of_the_published_model(iam: Any, change: Any, field: str):
    sent = {"RoleName": "new", "AssumeRolePolicyDocument": _TRUST} | change
    code, message, status = _refusal(iam.create_role, **sent)
    assert (code, status) == ("ValidationError", 400)
    assert f"at '{field}' failed to satisfy constraint" in message


def test_letters_of_all_languages_are_letters_in_tags_and_descriptions_of_latin_ones(iam: Any):
    tags = [{"Key": "équipe größe", "Value": "données"}]
    iam.create_role(RoleName="r" * 64, AssumeRolePolicyDocument=_TRUST, Description="für Übungen", Tags=tags)


def test_names_differ_by_more_than_case_and_tags_add_up(iam: Any):
    taken = ("EntityAlreadyExists", "Role with name TEAM already exists.", 409)
    assert _refusal(iam.create_role, RoleName="TEAM", AssumeRolePolicyDocument=_TRUST) == taken
    assert _refusal(iam.create_user, UserName="Jane")[0] == "EntityAlreadyExists"
    iam.tag_role(RoleName="team", Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(50)])
    iam.tag_role(RoleName="team", Tags=[{"Key": "k0", "Value": "another"}])
    assert _refusal(iam.tag_role, RoleName="team", Tags=[{"Key": "more", "Value": "v"}])[0] == "LimitExceeded"


def test_a_trust_policy_names_principals_that_exist(iam: Any):
    def trusting(*names: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    lost = f"arn:aws:iam::{ACCOUNT}:role/lost"
    expected = ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{lost}"', 400)
    assert _refusal(iam.create_role, RoleName="new", AssumeRolePolicyDocument=trusting(lost)) == expected
    known = [f"arn:aws:iam::{ACCOUNT}:{each}" for each in ("root", "role/team", "user/jane", "user/administrator")]
    iam.create_role(RoleName="new", AssumeRolePolicyDocument=trusting(*known, "arn:aws:iam::111122223333:role/theirs"))


def test_policies_forget_a_deleted_role_and_do_not_know_the_next_one_of_its_name(emulated: Emulated, iam: Any):
    arn = f"arn:aws:iam::{ACCOUNT}:role/team"
    unique = iam.get_role(RoleName="team")["Role"]["RoleId"]
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps({"Statement": [statement]}))
    s3, kms = emulated.client("s3"), emulated.client("kms")
    s3.create_bucket(Bucket="data")
    own = {"Effect": "Allow", "Principal": {"AWS": [arn, ACCOUNT]}, "Action": "s3:*", "Resource": "arn:aws:s3:::data"}
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": own}))
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    allowed = [
        {"Effect": "Allow", "Principal": who, "Action": "kms:*", "Resource": "*"} for who in (root, {"AWS": arn})
    ]
    key = kms.create_key(Policy=json.dumps({"Statement": allowed}))["KeyMetadata"]["KeyId"]
    iam.delete_role(RoleName="team")
    iam.create_role(RoleName="team", AssumeRolePolicyDocument=_TRUST)
    emulated.restart()
    trusted = iam.get_role(RoleName="other")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert trusted == {"AWS": unique}
    bucket = json.loads(s3.get_bucket_policy(Bucket="data")["Policy"])["Statement"]["Principal"]
    assert bucket == {"AWS": [unique, ACCOUNT]}
    assert arn not in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]


def test_what_was_accepted_before_there_was_a_rule_comes_back(
    emulated: Emulated, iam: Any, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as earlier:
        earlier.setattr(quotas, "check", lambda *_: None)
        iam.put_role_policy(RoleName="team", PolicyName="large", PolicyDocument=_policy(18_083))
    emulated.restart()
    assert iam.list_role_policies(RoleName="team")["PolicyNames"] == ["large"]
    lines = emulated.journal_lines
    assert _refusal(iam.put_role_policy, RoleName="team", PolicyName="more", PolicyDocument=_policy(200))[2] == 409
    assert emulated.journal_lines == lines
