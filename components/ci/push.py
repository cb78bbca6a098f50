"""Permissions of the role that pushes images: it adds images to the environment's own repositories, and nothing else.

It deletes no image and changes no repository. Tags are immutable once pushed, so running images cannot be replaced.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
"""

from collections.abc import Sequence

from components.ci.read_access import Reach
from components.iam_documents import Statement, describe_only


def push_statements(reach: Reach) -> Sequence[Statement]:
    return [
        describe_only(
            "SignIn",
            ["ecr:GetAuthorizationToken"],
            "the call knows no resources: its token is good for what the caller may do, and for no more",
            {"StringEquals": {"aws:RequestedRegion": reach.scope.region}},
        ),
        Statement(
            sid="PushToOwnRepositories",
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:DescribeImages",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            resources=[reach.scope.arn("ecr", f"repository/{reach.prefix}/*")],
        ),
    ]
