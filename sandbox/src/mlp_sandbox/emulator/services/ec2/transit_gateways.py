"""VPC attachments to transit gateways, which change state with a delay, and gateways shared by another account.

Companies run their transit gateway in a separate account and share it. The local account gets some, so that deployments
behind one can be tried. No packet passes through them.
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.transit_gateway import TransitGateway
from moto.ec2.models.transit_gateway_attachments import TransitGatewayVpcAttachment

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.ec2.tags import forget_tags
from mlp_sandbox.emulator.services.registry import Call, Result, extends
from mlp_sandbox.shared_gateways import SHARED_GATEWAYS

OWNER_OF_SHARED = "999999999999"
SETTLING = timedelta(seconds=0.3)
"""Time that an attachment is pending, modifying or deleting; on AWS it is a minute or two."""
REMEMBERED = timedelta(hours=1)
"""Time that a deleted attachment stays listed."""
_NEXT = {"pending": "available", "modifying": "available", "deleting": "deleted"}


class SharedGateway(TransitGateway):
    """A transit gateway of another account. This account cannot see its route tables.

    A read request may create it, and the journal does not record reads. Its fields are constants, so that a replay
    creates the same gateway.
    """

    def __init__(self, backend: Any, id: str) -> None:
        """Set the fields without moto's constructor, which would draw an id and create a route table here."""
        self.ec2_backend = backend
        self.id, self.description, self.state = id, "network of the organisation", "available"
        self.options: Any = {**self.DEFAULT_OPTIONS, "AutoAcceptSharedAttachments": "enable"}
        self._created_at = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        self.default_route_table: Any = None

    @property
    def owner_id(self) -> str:
        return OWNER_OF_SHARED

    @property
    def arn(self) -> str:
        backend: Any = self.ec2_backend
        return f"arn:{backend.partition}:ec2:{backend.region_name}:{OWNER_OF_SHARED}:transit-gateway/{self.id}"


def network_of(account: str, region: str) -> Any:
    """Return moto's EC2 backend of an account and region, with the shared gateways and up-to-date attachments."""
    backend: Any = ec2_backends[account][region]
    for id in SHARED_GATEWAYS:
        if id not in backend.transit_gateways:
            backend.transit_gateways[id] = SharedGateway(backend, id)
    settle(backend)
    return backend


def settle(backend: Any) -> None:
    """Advance the attachments whose time has come. This depends on the clock alone, so a replay does the same."""
    now = datetime.now(UTC)
    for attachment in list(backend.transit_gateway_attachments.values()):
        since = getattr(attachment, "since", None)
        if since is None:
            continue
        if attachment.state in _NEXT and now - since >= SETTLING:
            attachment.state, attachment.since = _NEXT[attachment.state], since + SETTLING
            if attachment.state == "deleted":
                for interface in attachment.interfaces.values():
                    backend.enis.pop(interface, None)
                backend.tags.pop(attachment.id, None)
        elif attachment.state == "deleted" and now - since >= REMEMBERED:
            del backend.transit_gateway_attachments[attachment.id]


def is_attached(backend: Any, gateway: str, vpc: str) -> bool:
    """Return whether a VPC's traffic reaches a gateway."""
    return any(each.state in ("available", "modifying") for each in _living(backend, gateway, vpc))


def _living(backend: Any, gateway: str, vpc: str) -> list[Any]:
    return [
        each
        for each in backend.transit_gateway_attachments.values()
        if (each.transit_gateway_id, each.resource_id) == (gateway, vpc) and each.state != "deleted"
    ]


@extends("ec2", "DescribeTransitGateways")
def describe_gateways(call: Call) -> Result:
    """Describe gateways. moto leaves out unknown ids; EC2 rejects them."""
    backend = _backend(call)
    for id in call.params.get("TransitGatewayIds") or []:
        if id not in backend.transit_gateways:
            raise _no_gateway(id)
    return call.proceed()


@extends("ec2", "CreateTransitGatewayVpcAttachment")
def create(call: Call) -> Result:
    """Create an attachment, pending at first, with one interface in one subnet of each zone."""
    backend, params = _backend(call), call.params
    gateway, vpc = str(params["TransitGatewayId"]), str(params["VpcId"])
    if gateway not in backend.transit_gateways:
        raise _no_gateway(gateway)
    backend.get_vpc(vpc)
    subnets = _subnets(backend, vpc, params.get("SubnetIds") or [])
    if _living(backend, gateway, vpc):
        message = f"{gateway} has non-deleted Transit Gateway Attachments with same VPC ID."
        raise Fault("DuplicateTransitGatewayAttachment", message)
    attachment: Any = TransitGatewayVpcAttachment(
        backend,
        transit_gateway=backend.transit_gateways[gateway],
        vpc_id=vpc,
        subnet_ids=[each.id for each in subnets],
        options=params.get("Options"),
    )
    backend.transit_gateway_attachments[attachment.id] = attachment
    if attachment.transit_gateway_route_table is not None:
        backend.set_route_table_association(attachment.id, attachment.transit_gateway_route_table.id)
    attachment.state, attachment.since = "pending", datetime.now(UTC)
    attachment.interfaces = {each.id: _interface(backend, attachment, each) for each in subnets}
    for spec in params.get("TagSpecifications") or []:
        backend.create_tags([attachment.id], {tag["Key"]: tag.get("Value", "") for tag in spec["Tags"]})
    return {"TransitGatewayVpcAttachment": _shown(attachment)}


@extends("ec2", "ModifyTransitGatewayVpcAttachment")
def modify(call: Call) -> Result:
    """Change the subnets and options of an attachment."""
    backend, params = _backend(call), call.params
    attachment = _available(backend, str(params["TransitGatewayAttachmentId"]), "modified")
    added, removed = params.get("AddSubnetIds") or [], params.get("RemoveSubnetIds") or []
    wanted = [each for each in attachment.subnet_ids if each not in removed]
    wanted += [each for each in added if each not in wanted]
    subnets = _subnets(backend, attachment.resource_id, wanted)
    for gone in [each for each in attachment.interfaces if each not in wanted]:
        backend.enis.pop(attachment.interfaces.pop(gone), None)
    for new in [each for each in subnets if each.id not in attachment.interfaces]:
        attachment.interfaces[new.id] = _interface(backend, attachment, new)
    attachment.subnet_ids = wanted
    attachment.options = attachment.options | (params.get("Options") or {})
    attachment.state, attachment.since = "modifying", datetime.now(UTC)
    return {"TransitGatewayVpcAttachment": _shown(attachment)}


@extends("ec2", "DeleteTransitGatewayVpcAttachment")
def delete(call: Call) -> Result:
    """Delete an attachment. It stays listed as deleted for a while; routes through it stay, as blackholes."""
    backend = _backend(call)
    attachment = _available(backend, str(call.params["TransitGatewayAttachmentId"]), "deleted")
    attachment.state, attachment.since = "deleting", datetime.now(UTC)
    return {"TransitGatewayVpcAttachment": _shown(attachment)}


@extends("ec2", "DescribeTransitGatewayVpcAttachments", "DescribeTransitGatewayAttachments")
def describe(call: Call) -> Result:
    """Describe attachments in their current state."""
    backend = _backend(call)
    for id in call.params.get("TransitGatewayAttachmentIds") or []:
        if id not in backend.transit_gateway_attachments:
            raise _no_attachment(id)
    return call.proceed()


@extends("ec2", "DeleteTransitGateway")
def delete_gateway(call: Call) -> Result:
    """Delete a gateway. This is rejected for a gateway of another account, and while a VPC is attached."""
    backend, id = _backend(call), str(call.params["TransitGatewayId"])
    if id not in backend.transit_gateways:
        raise _no_gateway(id)
    if id in SHARED_GATEWAYS:
        raise Fault(
            "UnauthorizedOperation", f"You are not authorized to delete {id}: account {OWNER_OF_SHARED} is.", 403
        )
    left = [each.id for each in backend.transit_gateway_attachments.values() if each.transit_gateway_id == id]
    if any(backend.transit_gateway_attachments[each].state != "deleted" for each in left):
        raise Fault("IncorrectState", f"{id} has non-deleted VPC Attachments: {', '.join(left)}.")
    result = call.proceed()
    forget_tags(call, [id])
    return result


def _subnets(backend: Any, vpc: str, ids: list[str]) -> list[Any]:
    """Return the subnets, which must belong to the VPC and to different zones."""
    if not ids:
        raise Fault("MissingParameter", "The request must contain the parameter SubnetIds.")
    known = {id: each for zone in backend.subnets.values() for id, each in zone.items()}
    for id in ids:
        if id not in known or known[id].vpc_id != vpc:
            raise Fault("InvalidSubnetID.NotFound", f"Subnet {id} was deleted or does not exist.")
    subnets = [known[id] for id in ids]
    if len({each.availability_zone for each in subnets}) != len(subnets):
        raise Fault("DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ")
    return subnets


def _interface(backend: Any, attachment: Any, subnet: Any) -> str:
    made = backend.create_network_interface(
        subnet, "", description=f"Network Interface for Transit Gateway Attachment {attachment.id}"
    )
    made.requester_managed, made.interface_type, made.status = True, "transit_gateway", "in-use"
    return str(made.id)


def _available(backend: Any, id: str, what: str) -> Any:
    attachment = backend.transit_gateway_attachments.get(id)
    if attachment is None or attachment.state == "deleted":
        raise _no_attachment(id)
    if attachment.state != "available":
        message = f"{id} is in invalid state: it is {attachment.state}, and is {what} only while it is available."
        raise Fault("IncorrectState", message)
    return attachment


def _shown(attachment: Any) -> Result:
    return {
        "TransitGatewayAttachmentId": attachment.id,
        "TransitGatewayId": attachment.transit_gateway_id,
        "VpcId": attachment.vpc_id,
        "VpcOwnerId": attachment.vpc_owner_id,
        "State": attachment.state,
        "SubnetIds": attachment.subnet_ids,
        "CreationTime": attachment.creation_time,
        "Options": attachment.options,
        "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in attachment.get_tags()],
    }


def _no_gateway(id: str) -> Fault:
    return Fault("InvalidTransitGatewayID.NotFound", f"Transit Gateway {id} was deleted or does not exist.")


def _no_attachment(id: str) -> Fault:
    message = f"Transit Gateway Attachment {id} was deleted or does not exist."
    return Fault("InvalidTransitGatewayAttachmentID.NotFound", message)


def _backend(call: Call) -> Any:
    return network_of(call.identity.account, call.identity.region)
