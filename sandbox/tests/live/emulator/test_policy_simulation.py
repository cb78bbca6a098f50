"""The policy simulator gives the same decision as the account itself."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.principals import Principals, allow, deny, document
from sandbox.tests.live.emulator.running import Running

READ = "arn:aws:s3:::data/reports/*"


@pytest.fixture(scope="module")
def principals(emulator: Running) -> Principals:
    return Principals(emulator)


def _decisions(answer: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (result["EvalActionName"], result["EvalResourceName"]): result["EvalDecision"]
        for result in answer["EvaluationResults"]
    }


def test_a_principal_is_simulated_with_its_own_policies(principals: Principals):
    role = principals.role(allow("s3:GetObject", READ), deny("s3:DeleteObject"))
    answer = principals.iam.simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=["s3:GetObject", "s3:DeleteObject"],
        ResourceArns=["arn:aws:s3:::data/reports/a", "arn:aws:s3:::data/other"],
    )
    assert _decisions(answer) == {
        ("s3:GetObject", "arn:aws:s3:::data/reports/a"): "allowed",
        ("s3:GetObject", "arn:aws:s3:::data/other"): "implicitDeny",
        ("s3:DeleteObject", "arn:aws:s3:::data/reports/a"): "explicitDeny",
        ("s3:DeleteObject", "arn:aws:s3:::data/other"): "explicitDeny",
    }


def test_conditions_are_held_against_the_given_context(principals: Principals):
    policy = document(allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "reports/*"}}))
    arguments: dict[str, Any] = {"PolicyInputList": [policy], "ActionNames": ["s3:ListBucket"]}
    [without] = principals.iam.simulate_custom_policy(**arguments)["EvaluationResults"]
    assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["s3:prefix"])
    entry = {"ContextKeyName": "s3:prefix", "ContextKeyValues": ["reports/2026"], "ContextKeyType": "string"}
    [given] = principals.iam.simulate_custom_policy(**arguments, ContextEntries=[entry])["EvaluationResults"]
    assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", [])


def test_a_boundary_is_told_apart(principals: Principals):
    [result] = principals.iam.simulate_custom_policy(
        PolicyInputList=[document(allow("s3:*"))],
        PermissionsBoundaryPolicyInputList=[document(allow("ec2:*"))],
        ActionNames=["s3:GetObject"],
    )["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_long_answers_come_in_pages(principals: Principals):
    arguments = {"PolicyInputList": [document(allow("*"))], "ActionNames": ["s3:GetObject", "s3:PutObject"]}
    first = principals.iam.simulate_custom_policy(**arguments, MaxItems=1)
    assert first["IsTruncated"]
    second = principals.iam.simulate_custom_policy(**arguments, MaxItems=1, Marker=first["Marker"])
    assert [page["EvaluationResults"][0]["EvalActionName"] for page in (first, second)] == arguments["ActionNames"]
    assert not second["IsTruncated"]


def test_the_context_keys_of_policies_are_listed(principals: Principals):
    policy = document(
        allow(
            "s3:GetObject",
            "arn:aws:s3:::${aws:PrincipalTag/team}/*",
            Condition={"Bool": {"aws:SecureTransport": "true"}},
        )
    )
    names = principals.iam.get_context_keys_for_custom_policy(PolicyInputList=[policy])["ContextKeyNames"]
    assert names == ["aws:PrincipalTag/team", "aws:SecureTransport"]


def test_a_principal_that_does_not_exist_is_an_error_that_names_it(principals: Principals):
    with pytest.raises(ClientError, match="role/nobody does not exist"):
        principals.iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/nobody", ActionNames=["s3:GetObject"]
        )


def test_what_is_no_policy_is_an_error(principals: Principals):
    with pytest.raises(ClientError, match="InvalidInput"):
        principals.iam.simulate_custom_policy(PolicyInputList=["{}"], ActionNames=["s3:GetObject"])
