"""VPCs, their additional address ranges, and internet gateways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, missing, one_of, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

IPAM = "an emulated account has no IPAM; give the range itself"
ATTRIBUTES = {  # input: (attribute, its value in a new VPC)
    "enableDnsSupport": ("EnableDnsSupport", True),
    "enableDnsHostnames": ("EnableDnsHostnames", False),
    "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
}
VPC_GONE = "InvalidVpcID.NotFound"


class Vpc(Ec2Handler):
    token = "aws:ec2/vpc:Vpc"
    tagged = True
    api = Api("vpc", "describe_vpcs", "VpcIds", "Vpcs", (VPC_GONE,))
    outputs = (
        *("arn", "ownerId", "defaultNetworkAclId", "defaultRouteTableId", "defaultSecurityGroupId"),
        *("dhcpOptionsId", "ipv6AssociationId", "mainRouteTableId"),
    )
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "assignGeneratedIpv6CidrBlock": Field(default=False),
        "cidrBlock": Field(replace=True),
        "enableDnsHostnames": Field(default=False),
        "enableDnsSupport": Field(default=True),
        "enableNetworkAddressUsageMetrics": Field(default=False),
        "instanceTenancy": Field(replace=True, default="default"),
        "ipv4IpamPoolId": Field(replace=True),
        "ipv4NetmaskLength": Field(replace=True, write_only=True),
        "ipv6CidrBlock": Field(computed=True),
        "ipv6CidrBlockNetworkBorderGroup": Field(computed=True),
        "ipv6IpamPoolId": Field(),
        "ipv6NetmaskLength": Field(write_only=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6IpamPoolId", "ipv6NetmaskLength"), IPAM),
        "ipv6CidrBlock": "a range of one's own comes from IPAM; set assignGeneratedIpv6CidrBlock",
        "ipv6CidrBlockNetworkBorderGroup": "an emulated account has no Local Zones; leave it out",
    }

    def check(self, inputs: Props) -> Problems:
        missing_range = [] if "cidrBlock" in inputs else [("cidrBlock", "is missing: give the VPC an IPv4 range")]
        return [*super().check(inputs), *missing_range, *one_of(inputs, "instanceTenancy", ("default", "dedicated"))]

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        id = ec2.create_vpc(
            CidrBlock=inputs["cidrBlock"],
            **given(
                InstanceTenancy=inputs.get("instanceTenancy"),
                AmazonProvidedIpv6CidrBlock=inputs.get("assignGeneratedIpv6CidrBlock"),
            ),
            **self.tagging(inputs),
        )["Vpc"]["VpcId"]
        aws.created(id)
        self._set_attributes(ec2, id, inputs, {k for k, (_, v) in ATTRIBUTES.items() if inputs.get(k, v) != v})
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        ec2, owner = self.client(aws, inputs), live["OwnerId"]
        own = [{"Name": "vpc-id", "Values": [id]}]
        tables = ec2.describe_route_tables(Filters=[*own, {"Name": "association.main", "Values": ["true"]}])
        groups = ec2.describe_security_groups(Filters=[*own, {"Name": "group-name", "Values": ["default"]}])
        acls = ec2.describe_network_acls(Filters=[*own, {"Name": "default", "Values": ["true"]}])
        main = next((table["RouteTableId"] for table in tables["RouteTables"]), "")
        ipv6 = _associated(live.get("Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlockState")
        return {
            "arn": arn(self.region(aws, inputs), owner, f"vpc/{id}"),
            "ownerId": owner,
            "cidrBlock": live["CidrBlock"],
            "instanceTenancy": live["InstanceTenancy"],
            "assignGeneratedIpv6CidrBlock": ipv6.get("Ipv6Pool") == "Amazon",
            "ipv6AssociationId": ipv6.get("AssociationId", ""),
            **present(
                ipv6CidrBlock=ipv6.get("Ipv6CidrBlock"), ipv6CidrBlockNetworkBorderGroup=ipv6.get("NetworkBorderGroup")
            ),
            "dhcpOptionsId": live["DhcpOptionsId"],
            "mainRouteTableId": main,
            # AWS does not mark the table that came with the VPC; it is the main one until another becomes main.
            "defaultRouteTableId": main,
            "defaultSecurityGroupId": next((group["GroupId"] for group in groups["SecurityGroups"]), ""),
            "defaultNetworkAclId": next((acl["NetworkAclId"] for acl in acls["NetworkAcls"]), ""),
            **{
                name: ec2.describe_vpc_attribute(VpcId=id, Attribute=name)[attribute]["Value"]
                for name, (attribute, _) in ATTRIBUTES.items()
            },
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        ec2 = self.client(aws, new)
        self._set_attributes(ec2, id, new, changed & set(ATTRIBUTES))
        if "assignGeneratedIpv6CidrBlock" not in changed:
            return
        if new.get("assignGeneratedIpv6CidrBlock"):
            ec2.associate_vpc_cidr_block(VpcId=id, AmazonProvidedIpv6CidrBlock=True)
        else:
            live = self.find(aws, id, new)
            ipv6 = _associated(live.get("Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlockState")
            ec2.disassociate_vpc_cidr_block(AssociationId=ipv6["AssociationId"])

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_vpc(VpcId=id)

    @staticmethod
    def _set_attributes(ec2: Any, id: str, inputs: Props, names: set[str]) -> None:
        # One attribute per call; DNS support goes first, because host names need it.
        for name, (attribute, default) in ATTRIBUTES.items():
            if name in names:
                ec2.modify_vpc_attribute(VpcId=id, **{attribute: {"Value": inputs.get(name, default)}})


class VpcIpv4CidrBlockAssociation(Ec2Handler):
    token = "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation"
    api = Api(
        "vpc-cidr-block", "describe_vpcs", "VpcIds", "Vpcs", (VPC_GONE, "InvalidVpcCidrBlockAssociationID.NotFound")
    )
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "cidrBlock": Field(replace=True),
        "ipv4IpamPoolId": Field(replace=True),
        "ipv4NetmaskLength": Field(replace=True, write_only=True),
        "vpcId": Field(replace=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = dict.fromkeys(("ipv4IpamPoolId", "ipv4NetmaskLength"), IPAM)

    def create(self, aws: Aws, inputs: Props) -> str:
        reply = self.client(aws, inputs).associate_vpc_cidr_block(VpcId=inputs["vpcId"], CidrBlock=inputs["cidrBlock"])
        return str(reply["CidrBlockAssociation"]["AssociationId"])

    def find(self, aws: Aws, id: str, props: Props) -> Live:
        filters = [{"Name": "cidr-block-association.association-id", "Values": [id]}]
        for vpc in self.client(aws, props).describe_vpcs(Filters=filters)["Vpcs"]:
            for live in vpc["CidrBlockAssociationSet"]:
                if live["AssociationId"] == id and live["CidrBlockState"]["State"] == "associated":
                    return {**live, "VpcId": vpc["VpcId"]}
        raise NotFoundError(f"VPC address range {id}")

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        return {"vpcId": live["VpcId"], "cidrBlock": live["CidrBlock"]}

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.find(aws, id, state)  # a removed range stays listed for a while, and a second removal is an error
        self.client(aws, state).disassociate_vpc_cidr_block(AssociationId=id)


class InternetGateway(Ec2Handler):
    token = "aws:ec2/internetGateway:InternetGateway"
    tagged = True
    api = Api(
        *("internet-gateway", "describe_internet_gateways", "InternetGatewayIds", "InternetGateways"),
        ("InvalidInternetGatewayID.NotFound",),
    )
    outputs = ("arn", "ownerId")
    fields: ClassVar[Mapping[str, Field]] = {**REGION, **TAGS, "vpcId": Field(computed=True)}

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        id = ec2.create_internet_gateway(**self.tagging(inputs))["InternetGateway"]["InternetGatewayId"]
        aws.created(id)
        if inputs.get("vpcId"):
            ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=inputs["vpcId"])
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        owner = live["OwnerId"]
        return {
            "arn": arn(self.region(aws, inputs), owner, f"internet-gateway/{id}"),
            "ownerId": owner,
            **present(vpcId=next((item["VpcId"] for item in live["Attachments"]), None)),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self._detach(aws, id, new)
        if new.get("vpcId"):
            self.client(aws, new).attach_internet_gateway(InternetGatewayId=id, VpcId=new["vpcId"])

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self._detach(aws, id, state)
        self.client(aws, state).delete_internet_gateway(InternetGatewayId=id)

    def _detach(self, aws: Aws, id: str, props: Props) -> None:
        """Detach it from its current VPC, which may differ from the one in the state."""
        for attachment in self.find(aws, id, props)["Attachments"]:
            with missing("Gateway.NotAttached"):
                self.client(aws, props).detach_internet_gateway(InternetGatewayId=id, VpcId=attachment["VpcId"])


def _associated(associations: list[Live] | None, state: str) -> Live:
    return next((item for item in associations or [] if item[state]["State"] == "associated"), {})


HANDLERS: list[Handler] = [Vpc(), VpcIpv4CidrBlockAssociation(), InternetGateway()]
