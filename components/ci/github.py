"""GitHub Actions as an OIDC provider of an AWS account, and trust policies for the tokens that it issues.

Used by the Pulumi program and by the command that prepares an account before the first deployment.
"""

from collections.abc import Sequence

from components.iam_documents import Scope, Statement, trust_document

GITHUB_ISSUER = "token.actions.githubusercontent.com"
GITHUB_OIDC_URL = f"https://{GITHUB_ISSUER}"
STS_AUDIENCE = "sts.amazonaws.com"

LONGEST_PROVIDER_ARN = f"arn:aws-us-gov:iam::123456789012:oidc-provider/{GITHUB_ISSUER}"
"""ARN in the partition with the longest name: a trust policy that fits with it fits in every partition."""

LONGEST_SID = "DeployFromProtectedBranches"


def github_provider_arn(scope: Scope) -> str:
    """Return the ARN of GitHub's OIDC provider. There is one per issuer and account, and both determine the ARN."""
    return scope.global_arn("iam", f"oidc-provider/{GITHUB_ISSUER}")


def github_trust(sid: str, provider_arn: str, subjects: Sequence[str]) -> str:
    """Return a trust policy for exact subjects. It has no patterns, so no crafted branch name can match.

    Args:
        sid: identifier of the policy's statement.
        provider_arn: ARN of GitHub's OIDC provider.
        subjects: subject claims of the tokens that the role trusts.

    Raises:
        ValueError: the policy exceeds the size limit of IAM.
    """
    return trust_document(
        Statement(
            sid=sid,
            principals={"Federated": [provider_arn]},
            actions=["sts:AssumeRoleWithWebIdentity"],
            resources=["role"],
            conditions={"StringEquals": {f"{GITHUB_ISSUER}:aud": STS_AUDIENCE, f"{GITHUB_ISSUER}:sub": subjects}},
        )
    )


def github_trust_size(subjects: Sequence[str]) -> int:
    """Return the number of characters of a trust policy for the subjects, in the partition with the longest name."""
    return len(github_trust(LONGEST_SID, LONGEST_PROVIDER_ARN, [])) + sum(len(each) + 3 for each in subjects)
