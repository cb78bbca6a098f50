"""Which GitHub workflows may assume the two CI roles of an environment, and what those roles are called.

Shared by the program and by the command that prepares an account before the first deployment.
"""

import re
from dataclasses import dataclass

from components.iam_documents import TRUST_POLICY_LIMIT, Scope, Statement, trust_document

GITHUB_ISSUER = "token.actions.githubusercontent.com"
GITHUB_OIDC_URL = f"https://{GITHUB_ISSUER}"
STS_AUDIENCE = "sts.amazonaws.com"

LONGEST_PROVIDER_ARN = f"arn:aws-us-gov:iam::123456789012:oidc-provider/{GITHUB_ISSUER}"
"""Of the partition with the longest name, so that what fits there fits everywhere."""

BRANCH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
ENVIRONMENT = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Workflows:
    """The repository, and the branches and GitHub environments whose workflows may deploy."""

    repository: str
    deploy_branches: tuple[str, ...] = ("main",)
    deploy_environments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", self.repository):
            raise ValueError(f"repository must look like 'owner/name', got {self.repository!r}")
        if not self.deploy_branches and not self.deploy_environments:
            raise ValueError(
                "deploy_branches and deploy_environments are both empty: name who may deploy, such as 'main'"
            )
        for field, pattern, values in (
            ("deploy_branches", BRANCH, self.deploy_branches),
            ("deploy_environments", ENVIRONMENT, self.deploy_environments),
        ):
            for value in values:
                if not pattern.fullmatch(value):
                    raise ValueError(f"{field}: {value!r} must be one full name, without wildcards, such as 'main'")
        needed = len(_trust("DeployFromProtectedBranches", LONGEST_PROVIDER_ARN, "StringEquals", [])) + sum(
            len(subject) + 3 for subject in self.deploy_subjects
        )
        if needed > TRUST_POLICY_LIMIT:
            raise ValueError(
                f"deploy_branches and deploy_environments make a trust policy of {needed} characters, IAM takes "
                f"{TRUST_POLICY_LIMIT}: name fewer, such as one GitHub environment that all deploying jobs use"
            )

    @property
    def preview_subjects(self) -> list[str]:
        return [f"repo:{self.repository}:pull_request", f"repo:{self.repository}:ref:refs/heads/*"]

    @property
    def deploy_subjects(self) -> list[str]:
        """A job that names a GitHub environment gets the environment's claim instead of its branch's."""
        return [
            *(f"repo:{self.repository}:ref:refs/heads/{branch}" for branch in self.deploy_branches),
            *(f"repo:{self.repository}:environment:{environment}" for environment in self.deploy_environments),
        ]


def preview_role_name(prefix: str) -> str:
    return f"{prefix}-ci-preview"


def deploy_role_name(prefix: str) -> str:
    return f"{prefix}-ci-deploy"


def github_provider_arn(scope: Scope) -> str:
    """There is one provider per issuer and account, and its ARN follows from both."""
    return scope.global_arn("iam", f"oidc-provider/{GITHUB_ISSUER}")


def preview_trust(provider_arn: str, workflows: Workflows) -> str:
    """Pull requests and every branch: whoever may push to the repository may look."""
    return _trust("PreviewFromAnyBranch", provider_arn, "StringLike", workflows.preview_subjects)


def deploy_trust(provider_arn: str, workflows: Workflows) -> str:
    """Exact subjects only: no pattern, so that no branch name can be made to match."""
    return _trust("DeployFromProtectedBranches", provider_arn, "StringEquals", workflows.deploy_subjects)


def _trust(sid: str, provider_arn: str, operator: str, subjects: list[str]) -> str:
    audience = {f"{GITHUB_ISSUER}:aud": STS_AUDIENCE}
    subject = {f"{GITHUB_ISSUER}:sub": subjects}
    conditions = (
        {"StringEquals": {**audience, **subject}}
        if operator == "StringEquals"
        else {"StringEquals": audience, operator: subject}
    )
    return trust_document(
        Statement(
            sid=sid,
            principals={"Federated": [provider_arn]},
            actions=["sts:AssumeRoleWithWebIdentity"],
            resources=["role"],
            conditions=conditions,
        )
    )
