"""Trust of the CI roles of an environment: the GitHub workflows that may assume them, and the names of the roles."""

from components.ci.github import github_trust
from components.ci.spec import IdentitySpec


def preview_role_name(prefix: str) -> str:
    return f"{prefix}-ci-preview"


def deploy_role_name(prefix: str) -> str:
    return f"{prefix}-ci-deploy"


def push_role_name(prefix: str) -> str:
    return f"{prefix}-ci-push"


def preview_trust(provider_arn: str, spec: IdentitySpec) -> str:
    """Return the trust policy of the preview role: pull requests, and scheduled drift checks on `preview_branches`."""
    return github_trust("PreviewPullRequestsAndDrift", provider_arn, spec.preview_subjects)


def deploy_trust(provider_arn: str, spec: IdentitySpec) -> str:
    return github_trust(
        "DeployWithReviewers" if spec.github_environments else "DeployFromProtectedBranches",
        provider_arn,
        spec.deploy_subjects,
    )


def push_trust(provider_arn: str, spec: IdentitySpec) -> str:
    """Return the trust policy of the push role: the workflows that may deploy.

    A deployment runs the pushed images, so images need the same reviewers.
    """
    return github_trust(
        "PushWithReviewers" if spec.github_environments else "PushFromProtectedBranches",
        provider_arn,
        spec.deploy_subjects,
    )
