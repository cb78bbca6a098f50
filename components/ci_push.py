"""What the role may do that pushes images: add images to the environment's own repositories, and nothing else.

It deletes none and changes no repository. Tags never change once they are pushed, so nothing that runs can be replaced.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
"""

from collections.abc import Sequence

from components.ci_read_access import Reach
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
