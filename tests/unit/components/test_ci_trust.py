"""Trust policies of the CI roles: only the named workflows may assume them."""

import json
from typing import Any

import pytest

from components.ci.trust import (
    GITHUB_ISSUER,
    LONGEST_PROVIDER_ARN,
    Workflows,
    deploy_role_name,
    deploy_trust,
    github_provider_arn,
    preview_role_name,
    preview_trust,
    push_role_name,
    push_trust,
)
from components.iam_documents import TRUST_POLICY_LIMIT

from .policies import SCOPE, given

PROVIDER = github_provider_arn(SCOPE)
WORKFLOWS = Workflows(repository="acme/ml-platform", deploy_branches=("main",), preview_branches=("main", "release"))
REVIEWED = Workflows(repository="acme/ml-platform", deploy_environments=("prod",))


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
        ({"repository": "ml-platform"}, "repository must look like 'owner/name', got 'ml-platform'"),
        ({"repository": "*/*"}, r"repository must look like 'owner/name', got '\*/\*'"),
        ({"deploy_branches": ("*",)}, r"deploy_branches: '\*' must be one full name, without wildcards"),
        ({"deploy_branches": ("release/*",)}, r"'release/\*' must be one full name"),
        ({"deploy_environments": ("a b",)}, "deploy_environments: 'a b' must be one full name"),
        ({"deploy_branches": ()}, r"name either deploy_branches or deploy_environments: got \(\) and \(\)"),
        ({"deploy_environments": ("prod",)}, r"name either .*: got \('main',\) and \('prod',\)"),
        ({"preview_branches": ("*",)}, r"preview_branches: '\*' must be one full name"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    defaults: dict[str, Any] = {"repository": "acme/ml-platform", "deploy_branches": ("main",)}
    if changes.get("deploy_environments", ("prod",)) != ("prod",):
        defaults.pop("deploy_branches")
    with pytest.raises(ValueError, match=message):
        Workflows(**given(defaults, changes))


def test_more_callers_than_iam_takes_are_refused_at_once_and_the_most_that_fit_are_not():
    def workflows(count: int) -> Workflows:
        return Workflows(repository="acme/ml-platform", deploy_branches=tuple(f"release-{n:02}" for n in range(count)))

    for count in range(1, 60):
        try:
            found = workflows(count)
        except ValueError as error:
            said = str(error)
            break
        assert len(deploy_trust(LONGEST_PROVIDER_ARN, found)) <= TRUST_POLICY_LIMIT
    else:
        pytest.fail("sixty branches are more than IAM takes")
    assert count > 20
    assert said.startswith("branches and environments that deploy make a trust policy of 2")
    assert "IAM takes 2048: name fewer" in said
