"""Permissions of the CI roles on the cluster, its add-ons, access entries and node groups (AWS side).

Only an administrator creates and deletes the cluster itself: its creator keeps access for ever, and deleting it deletes
everything in it. Access entries decide the permissions inside the cluster.
"""

from collections.abc import Sequence

from components.ci.read_access import Reach
from components.iam_documents import Conditions, Statement, describe_only
from components.naming import cluster_name

PARTS = ("access-entry", "addon", "nodegroup", "podidentityassociation")


def _cluster_arn(reach: Reach) -> str:
    return reach.scope.arn("eks", f"cluster/{cluster_name(reach.prefix)}")


def _part_arns(reach: Reach, *parts: str) -> list[str]:
    return [reach.scope.arn("eks", f"{part}/{cluster_name(reach.prefix)}/*") for part in parts]


def cluster_read_statements(reach: Reach) -> Sequence[Statement]:
    scope = reach.scope
    return [
        Statement(
            sid="ReadCluster",
            actions=[
                "eks:DescribeAccessEntry",
                "eks:DescribeAddon",
                "eks:DescribeCluster",
                "eks:DescribeNodegroup",
                "eks:DescribePodIdentityAssociation",
                "eks:DescribeUpdate",
                "eks:ListAccessEntries",
                "eks:ListAssociatedAccessPolicies",
                "eks:ListPodIdentityAssociations",
                "eks:ListTagsForResource",
            ],
            resources=[_cluster_arn(reach), *_part_arns(reach, *PARTS)],
        ),
        describe_only(
            "DescribeNodes",
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeTags",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribePlacementGroups",
            ],
            "AWS authorises these Describe calls on every resource or none",
            {"StringEquals": {"aws:RequestedRegion": scope.region}},
        ),
        Statement(
            sid="ReadClusterIssuer",
            actions=["iam:GetOpenIDConnectProvider", "iam:ListOpenIDConnectProviderTags"],
            resources=[scope.global_arn("iam", f"oidc-provider/oidc.eks.{scope.region}.amazonaws.com/id/*")],
            conditions={"StringEquals": reach.resource_tags},
        ),
    ]


def cluster_change_statements(reach: Reach) -> Sequence[Statement]:
    scope = reach.scope
    return [
        Statement(
            sid="ChangeCluster",
            actions=[
                "eks:CreateAccessEntry",
                "eks:CreateAddon",
                "eks:CreateNodegroup",
                "eks:CreatePodIdentityAssociation",
                "eks:TagResource",
                "eks:UntagResource",
                "eks:UpdateClusterConfig",
                "eks:UpdateClusterVersion",
            ],
            resources=[_cluster_arn(reach)],
        ),
        Statement(
            sid="ChangePartsOfCluster",
            actions=[
                "eks:AssociateAccessPolicy",
                "eks:DeleteAccessEntry",
                "eks:DeleteAddon",
                "eks:DeleteNodegroup",
                "eks:DeletePodIdentityAssociation",
                "eks:DisassociateAccessPolicy",
                "eks:TagResource",
                "eks:UntagResource",
                "eks:UpdateAccessEntry",
                "eks:UpdateAddon",
                "eks:UpdateNodegroupConfig",
                "eks:UpdateNodegroupVersion",
                "eks:UpdatePodIdentityAssociation",
            ],
            resources=_part_arns(reach, *PARTS),
        ),
        Statement(
            sid="TagClusterIssuer",
            actions=["iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider"],
            resources=[scope.global_arn("iam", f"oidc-provider/oidc.eks.{scope.region}.amazonaws.com/id/*")],
            conditions={"StringEquals": reach.resource_tags},
        ),
        # EKS generates the names of these groups; its own tag names the cluster they belong to.
        Statement(
            sid="TagScalingGroups",
            actions=["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"],
            resources=[scope.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")],
            conditions={"StringEquals": {"aws:ResourceTag/eks:cluster-name": cluster_name(reach.prefix)}},
        ),
        *_launch_statements(reach),
    ]


def _launch_statements(reach: Reach) -> Sequence[Statement]:
    """Return the statements that let EKS start instances from a launch template on behalf of the caller.

    A call can override everything in the template, so a separate statement restricts each resource that it can name.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-template-permissions.html
    """
    scope = reach.scope
    from_template = {"ArnLike": {"ec2:LaunchTemplate": scope.arn("ec2", "launch-template/*")}}
    reservations = [scope.arn("ec2", f"capacity-reservation/{each}") for each in reach.capacity_reservations]

    def start(sid: str, resources: Sequence[str], conditions: Conditions) -> Statement:
        both = {**from_template, **conditions}
        return Statement(sid=sid, actions=["ec2:RunInstances"], resources=resources, conditions=both)

    return [
        Statement(
            sid="StartFromOwnTemplates",
            actions=["ec2:RunInstances"],
            resources=[scope.arn("ec2", "launch-template/*")],
            conditions={"StringEquals": reach.resource_tags},
        ),
        start(
            "StartFromTemplatesOnly",
            [
                *(scope.arn("ec2", f"{kind}/*") for kind in ("instance", "volume")),
                f"arn:{scope.partition}:ec2:{scope.region}::image/*",
            ],
            {},
        ),
        start(
            "StartInOwnNetwork",
            [scope.arn("ec2", f"{kind}/*") for kind in ("security-group", "subnet")],
            {"ArnEquals": {"ec2:Vpc": reach.vpc_arn}},
        ),
        # A network interface that the call creates has no VPC yet; an existing one must be in the environment's VPC.
        start(
            "StartWithOwnInterfaces",
            [scope.arn("ec2", "network-interface/*")],
            {"ArnEqualsIfExists": {"ec2:Vpc": reach.vpc_arn}},
        ),
        start(
            "StartInOwnPlacementGroups",
            [scope.arn("ec2", "placement-group/*")],
            {"StringEquals": reach.resource_tags},
        ),
        *([start("StartInNamedReservations", reservations, {})] if reservations else []),
        Statement(
            sid="TagWhatIsStarted",
            actions=["ec2:CreateTags"],
            resources=[scope.arn("ec2", f"{kind}/*") for kind in ("instance", "network-interface", "volume")],
            conditions={"StringEquals": {"ec2:CreateAction": "RunInstances", **reach.request_tags}},
        ),
    ]
