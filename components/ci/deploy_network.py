"""Permissions of the deploy role on the network. EC2 resources have no names, so tags identify the environment's own.

A call may tag a resource at creation, or a resource that already has the environment's tags. A role that could tag
foreign resources could take them over. For the same reason an administrator creates the VPC itself: its default
security group is created without tags.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
"""

from collections.abc import Mapping, Sequence

from components.ci.read_access import Reach
from components.iam_documents import Statement

# Resource type that each call creates. Its other resources (the VPC of a new subnet) must already have our tags, see
# CHANGES.
CREATES: Mapping[str, str] = {
    "AllocateAddress": "elastic-ip",
    "CreateFlowLogs": "vpc-flow-log",
    "CreateInternetGateway": "internet-gateway",
    "CreateLaunchTemplate": "launch-template",
    "CreateNatGateway": "natgateway",
    "CreatePlacementGroup": "placement-group",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateTransitGatewayVpcAttachment": "transit-gateway-attachment",
    "CreateVpcEndpoint": "vpc-endpoint",
    "AuthorizeSecurityGroupEgress": "security-group-rule",
    "AuthorizeSecurityGroupIngress": "security-group-rule",
}
CHANGES = (
    "AssociateRouteTable",
    "AssociateVpcCidrBlock",
    "AttachInternetGateway",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateFlowLogs",
    "CreateLaunchTemplateVersion",
    "CreateNatGateway",
    "CreateRoute",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateTags",
    "CreateTransitGatewayVpcAttachment",
    "CreateVpcEndpoint",
    "DeleteFlowLogs",
    "DeleteInternetGateway",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
    "DeleteNatGateway",
    "DeletePlacementGroup",
    "DeleteRoute",
    "DeleteRouteTable",
    "DeleteSecurityGroup",
    "DeleteSubnet",
    "DeleteTags",
    "DeleteTransitGatewayVpcAttachment",
    "DeleteVpcEndpoints",
    "DetachInternetGateway",
    "DisassociateAddress",
    "DisassociateRouteTable",
    "DisassociateVpcCidrBlock",
    "ModifyLaunchTemplate",
    "ModifySecurityGroupRules",
    "ModifySubnetAttribute",
    "ModifyTransitGatewayVpcAttachment",
    "ModifyVpcAttribute",
    "ModifyVpcEndpoint",
    "ReleaseAddress",
    "ReplaceRoute",
    "ReplaceRouteTableAssociation",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "UpdateSecurityGroupRuleDescriptionsEgress",
    "UpdateSecurityGroupRuleDescriptionsIngress",
)


KINDS = tuple(sorted({"vpc", *CREATES.values()}))


def create_statements(reach: Reach) -> Sequence[Statement]:
    """Return one statement per call. The request's tags say nothing about the other resources that the call names."""
    scope = reach.scope
    return [
        *(
            Statement(
                sid=f"New{action}",
                actions=[f"ec2:{action}"],
                resources=[scope.arn("ec2", f"{kind}/*")],
                conditions={"StringEquals": reach.request_tags},
            )
            for action, kind in CREATES.items()
        ),
        Statement(
            sid="TagWhatIsBeingCreated",
            actions=["ec2:CreateTags"],
            resources=[scope.arn("ec2", f"{kind}/*") for kind in KINDS],
            conditions={"StringEquals": {"ec2:CreateAction": sorted(CREATES), **reach.request_tags}},
        ),
    ]


def change_statements(reach: Reach) -> Sequence[Statement]:
    scope = reach.scope
    return [
        Statement(
            sid="ChangeOwnNetwork",
            actions=[f"ec2:{action}" for action in CHANGES],
            resources=[scope.arn("ec2", f"{kind}/*") for kind in KINDS],
            conditions={"StringEquals": reach.resource_tags},
        ),
        *_attach_statements(reach),
    ]


def _attach_statements(reach: Reach) -> Sequence[Statement]:
    """Return the statement for attaching to the transit gateways of the settings.

    They do not have our tags and may belong to another account.
    """
    if not reach.transit_gateways:
        return []
    scope = reach.scope
    return [
        Statement(
            sid="AttachToGateways",
            actions=["ec2:CreateTransitGatewayVpcAttachment"],
            resources=[
                f"arn:{scope.partition}:ec2:{scope.region}:*:transit-gateway/{id}" for id in reach.transit_gateways
            ],
        )
    ]
