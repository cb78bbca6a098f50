"""Elastic IP addresses and NAT gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, missing, one_of, present
from mlp_sandbox.providers.aws.services._waiting import wait_until
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

SECONDARY = "an emulated account has no secondary addresses; leave it out"
REGIONAL = "an emulated account has zonal NAT gateways only; give a subnetId and one gateway per zone"


class Eip(Ec2Handler):
    token = "aws:ec2/eip:Eip"
    tagged = True
    api = Api("elastic-ip", "describe_addresses", "AllocationIds", "Addresses", ("InvalidAllocationID.NotFound",))
    outputs = (
        *("allocationId", "arn", "associationId", "carrierIp", "customerOwnedIp"),
        *("privateDns", "privateIp", "publicDns", "publicIp"),
    )
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "address": Field(replace=True),
        "associateWithPrivateIp": Field(write_only=True),
        "customerOwnedIpv4Pool": Field(replace=True),
        "domain": Field(replace=True, computed=True),
        "instance": Field(computed=True),
        "ipamPoolId": Field(replace=True, write_only=True),
        "networkBorderGroup": Field(replace=True, computed=True),
        "networkInterface": Field(computed=True),
        "publicIpv4Pool": Field(replace=True, computed=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "address": "an emulated account has no addresses of its own; leave it out",
        "customerOwnedIpv4Pool": "an emulated account has no Outposts; leave it out",
        "ipamPoolId": "an emulated account has no IPAM; leave it out",
        "networkBorderGroup": "an emulated account has no Local Zones; leave it out",
        "publicIpv4Pool": "an emulated account has Amazon's addresses only; leave it out",
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *one_of(inputs, "domain", ("vpc",))]
        if "instance" in inputs and "networkInterface" in inputs:
            problems.append(("networkInterface", "conflicts with instance: give one of the two"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        id = str(ec2.allocate_address(Domain="vpc", **self.tagging(inputs))["AllocationId"])
        aws.created(id)
        self._associate(ec2, id, inputs)
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        region, public, private = self.region(aws, inputs), live["PublicIp"], live.get("PrivateIpAddress", "")
        return {
            "allocationId": id,
            "arn": arn(region, aws.account_id(), f"elastic-ip/{id}"),
            "associationId": live.get("AssociationId", ""),
            "carrierIp": live.get("CarrierIp", ""),
            "customerOwnedIp": live.get("CustomerOwnedIp", ""),
            "domain": live["Domain"],
            "privateDns": _dns(
                "ip", private, "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
            ),
            "privateIp": private,
            "publicDns": _dns(
                "ec2", public, "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"
            ),
            "publicIp": public,
            **present(
                instance=live.get("InstanceId"),
                networkInterface=live.get("NetworkInterfaceId"),
                networkBorderGroup=live.get("NetworkBorderGroup"),
                publicIpv4Pool=live.get("PublicIpv4Pool"),
            ),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        ec2 = self.client(aws, new)
        self._disassociate(ec2, self.find(aws, id, new))
        self._associate(ec2, id, new)

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        ec2 = self.client(aws, state)
        # Only an association of this resource is removed: an address that a NAT gateway uses stays until the gateway is
        # gone.
        if state.get("instance") or (state.get("networkInterface") and state.get("associateWithPrivateIp")):
            self._disassociate(ec2, self.find(aws, id, state))
        ec2.release_address(AllocationId=id)

    @staticmethod
    def _associate(ec2: Any, id: str, inputs: Props) -> None:
        if inputs.get("instance") or inputs.get("networkInterface"):
            ec2.associate_address(
                AllocationId=id,
                **given(
                    InstanceId=inputs.get("instance"),
                    NetworkInterfaceId=inputs.get("networkInterface"),
                    PrivateIpAddress=inputs.get("associateWithPrivateIp"),
                ),
            )

    @staticmethod
    def _disassociate(ec2: Any, live: Live) -> None:
        if live.get("AssociationId"):
            with missing("InvalidAssociationID.NotFound"):
                ec2.disassociate_address(AssociationId=live["AssociationId"])


class NatGateway(Ec2Handler):
    token = "aws:ec2/natGateway:NatGateway"
    tagged = True
    api = Api("natgateway", "describe_nat_gateways", "NatGatewayIds", "NatGateways", ("NatGatewayNotFound",))
    outputs = ("associationId", "networkInterfaceId", "publicIp")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "allocationId": Field(replace=True),
        "availabilityMode": Field(replace=True, default="zonal", computed=True),
        "availabilityZoneAddresses": Field(kind="set"),
        "connectivityType": Field(replace=True, default="public"),
        "privateIp": Field(replace=True, computed=True),
        "secondaryAllocationIds": Field(kind="set"),
        "secondaryPrivateIpAddressCount": Field(replace=True),
        "secondaryPrivateIpAddresses": Field(kind="set"),
        "subnetId": Field(replace=True),
        "vpcId": Field(replace=True, computed=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "availabilityZoneAddresses": REGIONAL,
        "secondaryAllocationIds": SECONDARY,
        "secondaryPrivateIpAddressCount": SECONDARY,
        "secondaryPrivateIpAddresses": SECONDARY,
        "vpcId": REGIONAL,
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *one_of(inputs, "connectivityType", ("public", "private"))]
        if inputs.get("availabilityMode") == "regional":
            problems.append(("availabilityMode", f"is 'regional': {REGIONAL}"))
        elif "subnetId" not in inputs:
            problems.append(("subnetId", "is missing: a zonal NAT gateway lives in a subnet"))
        kind = inputs.get("connectivityType", "public")
        if kind == "public" and "allocationId" not in inputs:
            problems.append(("allocationId", "is missing: a public NAT gateway needs the allocationId of an ec2.Eip"))
        if kind == "private" and "allocationId" in inputs:
            problems.append(("allocationId", 'is not supported with connectivityType = "private": leave it out'))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        id = self.client(aws, inputs).create_nat_gateway(
            SubnetId=inputs["subnetId"],
            ConnectivityType=inputs.get("connectivityType", "public"),
            **given(AllocationId=inputs.get("allocationId"), PrivateIpAddress=inputs.get("privateIp")),
            **self.tagging(inputs),
        )["NatGateway"]["NatGatewayId"]
        aws.created(id)
        self._wait(aws, id, inputs, "available")
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        addresses = live.get("NatGatewayAddresses", [])
        first = next((item for item in addresses if item.get("IsPrimary")), addresses[0] if addresses else {})
        return {
            "associationId": first.get("AssociationId", ""),
            "networkInterfaceId": first.get("NetworkInterfaceId", ""),
            "publicIp": first.get("PublicIp", ""),
            "subnetId": live["SubnetId"],
            "vpcId": live["VpcId"],
            **present(
                allocationId=first.get("AllocationId"),
                availabilityMode=live.get("AvailabilityMode"),
                connectivityType=live.get("ConnectivityType"),
                privateIp=first.get("PrivateIp"),
            ),
        }

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_nat_gateway(NatGatewayId=id)
        self._wait(aws, id, state, "deleted")

    def _wait(self, aws: Aws, id: str, props: Props, wanted: str) -> None:
        wait_until(
            f"NAT gateway {id}", lambda: self._status(aws, id, props), {wanted}, timeout=aws.timeout, failed={"failed"}
        )

    def _status(self, aws: Aws, id: str, props: Props) -> str:
        try:
            return str(self.find(aws, id, props)["State"])
        except NotFoundError:
            return "deleted"


def _dns(prefix: str, address: str, domain: str) -> str:
    return f"{prefix}-{address.replace('.', '-')}.{domain}" if address else ""


HANDLERS: list[Handler] = [Eip(), NatGateway()]
