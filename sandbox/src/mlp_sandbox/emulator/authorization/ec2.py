"""EC2 permissions: tags by identifier, tagging on creation, and identifiers of associations and attachments.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from collections.abc import Iterator
from typing import Any

from moto.ec2.models import ec2_backends

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.published import generic
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest, having


def ec2(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an EC2 operation.

    CreateTags and DeleteTags name resources by identifier alone. Tagging on creation needs a permission of its own.
    """
    operation = ask.identity.operation
    if operation in {"CreateTags", "DeleteTags"}:
        for identifier in ask.values("Resources"):
            yield Access(action=ask.action, resource=ask.arn(f"{kind_of_ec2(identifier)}/{identifier}"))
        return
    yield from generic(having(ask, **_joined(ask)))
    for specification in ask.params.get("TagSpecifications") or []:
        if specification.get("Tags"):
            yield Access(
                action="ec2:CreateTags",
                resource=ask.arn(f"{specification['ResourceType']}/*"),
                keys={"ec2:createaction": (operation,)},
            )


def _joined(ask: AuthorizationRequest) -> dict[str, str]:
    """Return the resources behind names and identifiers that do not occur in any ARN."""
    backend: Any = ec2_backends[ask.identity.account][ask.identity.region]
    template = ask.param("LaunchTemplateName")
    if template:
        return {"LaunchTemplateId": backend.launch_template_name_to_ids.get(template, "")}
    association, attachment = ask.param("AssociationId"), ask.param("AttachmentId")
    if association.startswith("rtbassoc-"):
        for table in backend.route_tables.values():
            for entry in table.associations:
                if entry["RouteTableAssociationId"] == association:
                    return {
                        "RouteTableId": ask.param("RouteTableId") or table.id,
                        "SubnetId": entry.get("SubnetId", ""),
                    }
    if association.startswith("vpc-cidr-assoc-"):
        for vpc in backend.vpcs.values():
            entries = [*vpc.get_cidr_block_association_set(False), *vpc.get_cidr_block_association_set(True)]
            if any(entry["association_id"] == association for entry in entries):
                return {"VpcId": vpc.id}
    if association.startswith("eipassoc-"):
        addresses = (item for item in backend.addresses if item.association_id == association)
        return {"AllocationId": next((item.allocation_id for item in addresses), "")}
    if attachment:
        interfaces = (item for item in backend.enis.values() if item.attachment_id == attachment)
        return {"NetworkInterfaceId": next((item.id for item in interfaces), "")}
    return {}


_EC2_KINDS = {
    "acl": "network-acl",
    "cr": "capacity-reservation",
    "dopt": "dhcp-options",
    "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "ami": "image",
    "lt": "launch-template",
    "nat": "natgateway",
    "pcx": "vpc-peering-connection",
    "pg": "placement-group",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "snap": "snapshot",
    "subnet": "subnet",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}


def kind_of_ec2(identifier: str) -> str:
    """Return the kind of resource that an EC2 identifier belongs to."""
    return _EC2_KINDS.get(identifier.rpartition("-")[0], "*")


def vpc_of(arn: str) -> str:
    """Return the ARN of the VPC of a subnet, security group or network interface; empty for any other resource."""
    parts = arn.split(":", 5)
    kind, _, identifier = parts[-1].partition("/")
    if len(parts) != 6 or kind not in {"network-interface", "security-group", "subnet"}:
        return ""
    backend: Any = ec2_backends[parts[4]][parts[3]]
    found = {
        "network-interface": lambda: backend.enis.get(identifier),
        "security-group": lambda: backend.get_security_group_from_id(identifier),
        "subnet": lambda: next((zone[identifier] for zone in backend.subnets.values() if identifier in zone), None),
    }[kind]()
    vpc = getattr(found, "vpc_id", None) or getattr(getattr(found, "subnet", None), "vpc_id", None)
    return ":".join((*parts[:5], f"vpc/{vpc}")) if vpc else ""
