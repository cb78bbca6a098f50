"""Subnets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, one_of, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live

IPAM = "an emulated account has no IPAM; give the range itself"
OUTPOST = "an emulated account has no Outposts; leave it out"
ON_LAUNCH = ("ip-name", "resource-name")
SWITCHES = {
    "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
    "enableDns64": "EnableDns64",
    "enableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch": "EnableResourceNameDnsAAAARecordOnLaunch",
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
}


class Subnet(Ec2Handler):
    token = "aws:ec2/subnet:Subnet"
    tagged = True
    api = Api("subnet", "describe_subnets", "SubnetIds", "Subnets", ("InvalidSubnetID.NotFound",))
    outputs = ("arn", "ipv6CidrBlockAssociationId", "ownerId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        **{name: Field(default=False) for name in SWITCHES},
        "availabilityZone": Field(replace=True, computed=True),
        "availabilityZoneId": Field(replace=True, computed=True),
        "cidrBlock": Field(replace=True),
        "customerOwnedIpv4Pool": Field(),
        "enableLniAtDeviceIndex": Field(),
        "ipv4IpamPoolId": Field(replace=True),
        "ipv4NetmaskLength": Field(replace=True, write_only=True),
        "ipv6CidrBlock": Field(),
        "ipv6IpamPoolId": Field(replace=True),
        "ipv6Native": Field(replace=True, default=False),
        "ipv6NetmaskLength": Field(replace=True, write_only=True),
        "mapCustomerOwnedIpOnLaunch": Field(),
        "outpostArn": Field(replace=True),
        "privateDnsHostnameTypeOnLaunch": Field(computed=True),
        "vpcId": Field(replace=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength"), IPAM),
        **dict.fromkeys(
            ("customerOwnedIpv4Pool", "enableLniAtDeviceIndex", "mapCustomerOwnedIpOnLaunch", "outpostArn"), OUTPOST
        ),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *one_of(inputs, "privateDnsHostnameTypeOnLaunch", ON_LAUNCH)]
        if "availabilityZone" in inputs and "availabilityZoneId" in inputs:
            problems.append(("availabilityZoneId", "conflicts with availabilityZone: give one of the two"))
        if "cidrBlock" not in inputs and not inputs.get("ipv6Native"):
            problems.append(("cidrBlock", "is missing: give an IPv4 range, or set ipv6Native"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        id = ec2.create_subnet(
            VpcId=inputs["vpcId"],
            **given(
                CidrBlock=inputs.get("cidrBlock"),
                Ipv6CidrBlock=inputs.get("ipv6CidrBlock"),
                Ipv6Native=inputs.get("ipv6Native"),
                AvailabilityZone=inputs.get("availabilityZone"),
                AvailabilityZoneId=inputs.get("availabilityZoneId"),
            ),
            **self.tagging(inputs),
        )["Subnet"]["SubnetId"]
        aws.created(id)
        self._set(ec2, id, inputs, {name for name in SWITCHES if inputs.get(name)})
        if inputs.get("privateDnsHostnameTypeOnLaunch"):
            self._set(ec2, id, inputs, {"privateDnsHostnameTypeOnLaunch"})
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        ipv6, names = _ipv6(live), live.get("PrivateDnsNameOptionsOnLaunch", {})
        return {
            "arn": live["SubnetArn"],
            "ownerId": live["OwnerId"],
            "vpcId": live["VpcId"],
            "ipv6CidrBlockAssociationId": ipv6.get("AssociationId", ""),
            "ipv6Native": live.get("Ipv6Native", False),
            "assignIpv6AddressOnCreation": live.get("AssignIpv6AddressOnCreation", False),
            "mapPublicIpOnLaunch": live.get("MapPublicIpOnLaunch", False),
            "enableDns64": live.get("EnableDns64", False),
            "enableResourceNameDnsARecordOnLaunch": names.get("EnableResourceNameDnsARecord", False),
            "enableResourceNameDnsAaaaRecordOnLaunch": names.get("EnableResourceNameDnsAAAARecord", False),
            **present(
                availabilityZone=live["AvailabilityZone"],
                availabilityZoneId=live["AvailabilityZoneId"],
                cidrBlock=live.get("CidrBlock"),
                ipv6CidrBlock=ipv6.get("Ipv6CidrBlock"),
                privateDnsHostnameTypeOnLaunch=names.get("HostnameType"),
            ),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        ec2 = self.client(aws, new)
        # Automatic IPv6 addresses need a range: they are switched off before it is removed and on after it is added.
        early = {name for name in changed & set(SWITCHES) if not new.get(name)}
        self._set(ec2, id, new, early)
        if "ipv6CidrBlock" in changed:
            if ipv6 := _ipv6(self.find(aws, id, new)):
                ec2.disassociate_subnet_cidr_block(AssociationId=ipv6["AssociationId"])
            if new.get("ipv6CidrBlock"):
                ec2.associate_subnet_cidr_block(SubnetId=id, Ipv6CidrBlock=new["ipv6CidrBlock"])
        self._set(ec2, id, new, changed - early)

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_subnet(SubnetId=id)

    @staticmethod
    def _set(ec2: Any, id: str, inputs: Props, names: set[str]) -> None:
        for name, attribute in SWITCHES.items():  # one attribute per call
            if name in names:
                ec2.modify_subnet_attribute(SubnetId=id, **{attribute: {"Value": inputs.get(name, False)}})
        if "privateDnsHostnameTypeOnLaunch" in names & inputs.keys():
            kind = inputs["privateDnsHostnameTypeOnLaunch"]
            ec2.modify_subnet_attribute(SubnetId=id, PrivateDnsHostnameTypeOnLaunch=kind)


def _ipv6(live: Live) -> Live:
    associations = live.get("Ipv6CidrBlockAssociationSet", [])
    return next((item for item in associations if item["Ipv6CidrBlockState"]["State"] == "associated"), {})


HANDLERS: list[Handler] = [Subnet()]
