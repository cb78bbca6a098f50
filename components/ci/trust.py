"""Trust of the CI roles of an environment: the GitHub workflows that may assume them, and the names of the roles.

Used by the Pulumi program and by the command that prepares an account before the first deployment.
"""

import re
from dataclasses import dataclass

from components.iam_documents import TRUST_POLICY_LIMIT, Scope, Statement, trust_document

GITHUB_ISSUER = "token.actions.githubusercontent.com"
GITHUB_OIDC_URL = f"https://{GITHUB_ISSUER}"
STS_AUDIENCE = "sts.amazonaws.com"

LONGEST_PROVIDER_ARN = f"arn:aws-us-gov:iam::123456789012:oidc-provider/{GITHUB_ISSUER}"
"""ARN in the partition with the longest name: a trust policy that fits with it fits in every partition."""

LONGEST_SID = "DeployFromProtectedBranches"

BRANCH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
ENVIRONMENT = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, kw_only=True)
class Workflows:
    """Repository and the workflows that may deploy: those of branches, or jobs of GitHub environments, never both.

    The token of a job with an environment contains the environment in place of the branch. If both were trusted, a job
    that omits `environment:` would deploy from the branch without the environment's reviewers. Scheduled workflows of
    `preview_branches` detect drift.
    https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims
    """

    repository: str
    deploy_branches: tuple[str, ...] = ()
    deploy_environments: tuple[str, ...] = ()
    preview_branches: tuple[str, ...] = ("main",)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", self.repository):
            raise ValueError(f"repository must look like 'owner/name', got {self.repository!r}")
        if bool(self.deploy_branches) == bool(self.deploy_environments):
            raise ValueError(
                "name either deploy_branches or deploy_environments: "
                f"got {self.deploy_branches!r} and {self.deploy_environments!r}"
            )
        for field, pattern, values in (
            ("deploy_branches", BRANCH, self.deploy_branches),
            ("deploy_environments", ENVIRONMENT, self.deploy_environments),
            ("preview_branches", BRANCH, self.preview_branches),
        ):
            for value in values:
                if not pattern.fullmatch(value):
                    raise ValueError(f"{field}: {value!r} must be one full name, without wildcards, such as 'main'")
        for field, subjects in (("deploy", self.deploy_subjects), ("preview", self.preview_subjects)):
            needed = len(_trust(LONGEST_SID, LONGEST_PROVIDER_ARN, [])) + sum(len(each) + 3 for each in subjects)
            if needed > TRUST_POLICY_LIMIT:
                raise ValueError(
                    f"branches and environments that {field} make a trust policy of {needed} characters, IAM takes "
                    f"{TRUST_POLICY_LIMIT}: name fewer, such as one GitHub environment that all deploying jobs use"
                )

    @property
    def preview_subjects(self) -> list[str]:
        return [f"repo:{self.repository}:pull_request", *self._of_branches(self.preview_branches)]

    @property
    def deploy_subjects(self) -> list[str]:
        environments = (f"repo:{self.repository}:environment:{each}" for each in self.deploy_environments)
        return [*self._of_branches(self.deploy_branches), *environments]

    def _of_branches(self, branches: tuple[str, ...]) -> list[str]:
        return [f"repo:{self.repository}:ref:refs/heads/{branch}" for branch in branches]


def preview_role_name(prefix: str) -> str:
    return f"{prefix}-ci-preview"


def deploy_role_name(prefix: str) -> str:
    return f"{prefix}-ci-deploy"


def push_role_name(prefix: str) -> str:
    return f"{prefix}-ci-push"


def github_provider_arn(scope: Scope) -> str:
    """Return the ARN of GitHub's OIDC provider. There is one per issuer and account, and both determine the ARN."""
    return scope.global_arn("iam", f"oidc-provider/{GITHUB_ISSUER}")


def preview_trust(provider_arn: str, workflows: Workflows) -> str:
    """Return the trust policy of the preview role: pull requests, and scheduled drift checks on `preview_branches`."""
    return _trust("PreviewPullRequestsAndDrift", provider_arn, workflows.preview_subjects)


def deploy_trust(provider_arn: str, workflows: Workflows) -> str:
    return _trust(
        "DeployWithReviewers" if workflows.deploy_environments else "DeployFromProtectedBranches",
        provider_arn,
        workflows.deploy_subjects,
    )


def push_trust(provider_arn: str, workflows: Workflows) -> str:
    """Return the trust policy of the push role: the workflows that may deploy.

    A deployment runs the pushed images, so images need the same reviewers.
    """
    return _trust(
        "PushWithReviewers" if workflows.deploy_environments else "PushFromProtectedBranches",
        provider_arn,
        workflows.deploy_subjects,
    )


def _trust(sid: str, provider_arn: str, subjects: list[str]) -> str:
    """Return a trust policy for exact subjects. It has no patterns, so no crafted branch name can match."""
    return trust_document(
        Statement(
            sid=sid,
            principals={"Federated": [provider_arn]},
            actions=["sts:AssumeRoleWithWebIdentity"],
            resources=["role"],
            conditions={"StringEquals": {f"{GITHUB_ISSUER}:aud": STS_AUDIENCE, f"{GITHUB_ISSUER}:sub": subjects}},
        )
    )
