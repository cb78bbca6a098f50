"""Permissions of the CI role that pushes images, evaluated as IAM would, action by action."""

import pytest

from .ci_roles import DEPLOY, PREVIEW, PUSH, may
from .policies import PREFIX

OURS = {"aws:ResourceTag/environment": "test"}
REPOSITORIES = "arn:aws:ecr:us-east-1:123456789012:repository"
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
TO_PUSH = (
    *("BatchCheckLayerAvailability", "BatchGetImage", "CompleteLayerUpload", "InitiateLayerUpload"),
    *("PutImage", "UploadLayerPart"),
)


@pytest.mark.parametrize("action", TO_PUSH)
def test_the_push_role_pushes_to_every_repository_of_its_environment_and_to_no_other(action: str):
    for name in ("mlflow", "projects/churn"):
        assert may(PUSH, f"ecr:{action}", f"{REPOSITORIES}/{PREFIX}/{name}")
    for name in ("ml-platform-prod/mlflow", f"{PREFIX}2/mlflow", "mlflow", f"x/{PREFIX}/mlflow"):
        assert not may(PUSH, f"ecr:{action}", f"{REPOSITORIES}/{name}")


def test_the_push_role_adds_images_and_takes_nothing_away():
    granted = {action for statement in PUSH for action in statement.actions}
    assert granted == {"ecr:DescribeImages", "ecr:GetAuthorizationToken", *(f"ecr:{action}" for action in TO_PUSH)}
    assert may(PUSH, "ecr:GetAuthorizationToken", "*")
    assert not may(PUSH, "ecr:GetAuthorizationToken", "*", {"aws:RequestedRegion": "eu-west-1"})


def test_nobody_else_of_continuous_integration_pushes():
    for role in (PREVIEW, DEPLOY):
        assert not may(role, "ecr:PutImage", f"{REPOSITORIES}/{PREFIX}/mlflow", OURS)
