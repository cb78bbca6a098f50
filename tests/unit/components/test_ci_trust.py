"""Trust policies of the CI roles: only the named workflows may assume them."""

import json
from typing import Any

import pytest

from components.ci.github import GITHUB_ISSUER, LONGEST_PROVIDER_ARN, github_provider_arn
from components.ci.spec import IdentitySpec
from components.ci.trust import (
    deploy_role_name,
    deploy_trust,
    preview_role_name,
    preview_trust,
    push_role_name,
    push_trust,
)
from components.iam_documents import TRUST_POLICY_LIMIT

from .ci_roles import SECTION, identity_spec
from .policies import SCOPE
from .refusals import refusals

PROVIDER = github_provider_arn(SCOPE)
REVIEWERS: dict[str, Any] = {"protected_branches": [], "github_environments": ["prod"]}
WORKFLOWS = identity_spec(preview_branches=["main", "release"])
REVIEWED = identity_spec(**REVIEWERS)


def trusted(policy: str, audience: str, subject: str) -> bool:
    """Return IAM's decision, evaluated with the parts of its logic that trust documents use."""
    [statement] = json.loads(policy)["Statement"]
    claims = {f"{GITHUB_ISSUER}:aud": audience, f"{GITHUB_ISSUER}:sub": subject}
    assert statement["Condition"].keys() == {"StringEquals"}
    wanted = statement["Condition"]["StringEquals"]
    return all(claims[key] in ([allowed] if isinstance(allowed, str) else allowed) for key, allowed in wanted.items())


@pytest.mark.parametrize(
    ("subject", "preview", "deploy", "reviewed"),
    [
        ("repo:acme/ml-platform:pull_request", True, False, False),
        ("repo:acme/ml-platform:ref:refs/heads/feature/x", False, False, False),
        ("repo:acme/ml-platform:ref:refs/heads/release", True, False, False),
        ("repo:acme/ml-platform:ref:refs/heads/main", True, True, False),
        ("repo:acme/ml-platform:ref:refs/heads/main-2", False, False, False),
        ("repo:acme/ml-platform:environment:prod", False, False, True),
        ("repo:acme/ml-platform:environment:dev", False, False, False),
        ("repo:acme/ml-platform:ref:refs/tags/main", False, False, False),
        ("repo:evil/ml-platform:ref:refs/heads/main", False, False, False),
        ("repo:acme/ml-platform-fork:pull_request", False, False, False),
    ],
)
def test_each_role_trusts_its_workflows_only(subject: str, preview: bool, deploy: bool, reviewed: bool):
    """With reviewers, a job on main without `environment:` cannot deploy."""
    assert trusted(preview_trust(PROVIDER, WORKFLOWS), "sts.amazonaws.com", subject) is preview
    assert trusted(deploy_trust(PROVIDER, WORKFLOWS), "sts.amazonaws.com", subject) is deploy
    assert trusted(deploy_trust(PROVIDER, REVIEWED), "sts.amazonaws.com", subject) is reviewed
    assert trusted(push_trust(PROVIDER, WORKFLOWS), "sts.amazonaws.com", subject) is deploy
    assert trusted(push_trust(PROVIDER, REVIEWED), "sts.amazonaws.com", subject) is reviewed


@pytest.mark.parametrize("build", [preview_trust, deploy_trust, push_trust])
def test_tokens_for_another_audience_are_refused(build: Any):
    assert not trusted(
        build(PROVIDER, WORKFLOWS), "https://github.com/acme", "repo:acme/ml-platform:ref:refs/heads/main"
    )


@pytest.mark.parametrize("build", [preview_trust, deploy_trust, push_trust])
def test_only_the_github_provider_is_trusted(build: Any):
    [statement] = json.loads(build(PROVIDER, WORKFLOWS))["Statement"]
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{GITHUB_ISSUER}"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"


@pytest.mark.parametrize("build", [preview_trust, deploy_trust, push_trust])
def test_no_trust_holds_a_pattern(build: Any):
    [statement] = json.loads(build(PROVIDER, WORKFLOWS))["Statement"]
    assert set(statement["Condition"]) == {"StringEquals"}
    assert "*" not in json.dumps(statement["Condition"])


def test_role_names_carry_the_environment():
    named = [name("ml-platform-dev") for name in (preview_role_name, deploy_role_name, push_role_name)]
    assert named == [f"ml-platform-dev-ci-{kind}" for kind in ("preview", "deploy", "push")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"github_repository": "ml-platform"}, 'github_repository: got "ml-platform"; write owner/name'),
        ({"github_repository": "*/*"}, 'github_repository: got "*/*"; write owner/name'),
        ({"protected_branches": ["*"]}, 'protected_branches[0]: got "*"; write the name of one branch'),
        ({"protected_branches": ["release/*"]}, 'got "release/*"; write the name of one branch, without wildcards'),
        ({**REVIEWERS, "github_environments": ["a b"]}, 'environments[0]: got "a b"; write the name of one GitHub'),
        ({**REVIEWERS, "github_environments": ["a/b"]}, 'environments[0]: got "a/b"; write the name of one GitHub'),
        ({**REVIEWERS, "github_environments": ["*"]}, 'environments[0]: got "*"; write the name of one GitHub'),
        ({"protected_branches": []}, "github_environments: got []; name the GitHub environments whose jobs may deploy"),
        ({"github_environments": ["prod"]}, 'protected_branches: got ["main"]; remove it: a job that leaves out'),
        ({"preview_branches": ["*"]}, 'preview_branches[0]: got "*"; write the name of one branch'),
        ({"state_bucket": ""}, 'state_bucket: got ""; write 3 to 63'),
        ({"state_bucket": "*"}, 'state_bucket: got "*"; write 3 to 63'),
        (
            {"state_key_alias": "key"},
            'state_key_alias: got "key"; write the alias of a key of your own',
        ),
        ({"state_key_alias": "alias/*"}, 'state_key_alias: got "alias/*"; write the alias'),
    ],
)
def test_a_wrong_setting_is_refused_with_field_value_and_fix(changes: dict[str, Any], message: str):
    [line] = refusals(IdentitySpec, {**SECTION, **changes})
    assert message in line


@pytest.mark.parametrize(
    ("field", "others"),
    [
        ("protected_branches", {}),
        ("github_environments", {"protected_branches": []}),
        ("preview_branches", {}),
    ],
)
def test_more_callers_than_iam_takes_are_refused_at_once_and_the_most_that_fit_are_not(
    field: str, others: dict[str, Any]
):
    def section(count: int) -> dict[str, Any]:
        return {**SECTION, **others, field: [f"release-{number:02}" for number in range(count)]}

    for count in range(1, 60):
        try:
            spec = IdentitySpec.model_validate(section(count))
        except ValueError:
            break
        trusts = (deploy_trust(LONGEST_PROVIDER_ARN, spec), preview_trust(LONGEST_PROVIDER_ARN, spec))
        assert max(map(len, trusts)) <= TRUST_POLICY_LIMIT
    else:
        pytest.fail("sixty branches are more than IAM takes")
    assert count > 20
    [line] = refusals(IdentitySpec, section(count))
    assert line.startswith(f'{field}: got ["release-00", ')
    assert "name fewer, they make a trust policy of 2" in line
    assert "IAM takes 2048" in line
