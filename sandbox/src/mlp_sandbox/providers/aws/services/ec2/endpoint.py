"""VPC endpoints: gateways in route tables and interfaces in subnets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    TAGS,
    Problems,
    document,
    given,
    json_text,
    one_of,
    present,
)
from mlp_sandbox.providers.aws.services._waiting import wait_until
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

INTERFACE_ONLY = ("subnetIds", "securityGroupIds", "privateDnsEnabled", "dnsOptions")
MEMBERS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}
DNS_OPTIONS = {
    "dnsRecordIpType": "DnsRecordIpType",
    "privateDnsOnlyForInboundResolverEndpoint": "PrivateDnsOnlyForInboundResolverEndpoint",
}
GONE = ("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
OF_A_SERVICE = "an emulated account has endpoints of AWS services only; give serviceName"


class VpcEndpoint(Ec2Handler):
    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    tagged = True
    api = Api("vpc-endpoint", "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", GONE)
    outputs = (
        *("arn", "cidrBlocks", "dnsEntries", "networkInterfaceIds", "ownerId", "prefixListId", "requesterManaged"),
        "state",
    )
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        **{name: Field(kind="set", computed=True) for name in MEMBERS},
        "autoAccept": Field(write_only=True),
        "dnsOptions": Field(computed=True),
        "ipAddressType": Field(computed=True),
        "policy": Field(kind="json", computed=True),
        "privateDnsEnabled": Field(computed=True),
        "resourceConfigurationArn": Field(replace=True),
        "serviceName": Field(replace=True),
        "serviceNetworkArn": Field(replace=True),
        "serviceRegion": Field(replace=True, computed=True),
        "subnetConfigurations": Field(kind="set", computed=True),
        "vpcEndpointType": Field(replace=True, default="Gateway"),
        "vpcId": Field(replace=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "resourceConfigurationArn": OF_A_SERVICE,
        "serviceNetworkArn": OF_A_SERVICE,
        "serviceRegion": "an emulated account has services of its own region only; leave it out",
        "subnetConfigurations": "AWS chooses the addresses of an endpoint; give subnetIds",
    }

    def check(self, inputs: Props) -> Problems:
        kind = inputs.get("vpcEndpointType", "Gateway")
        problems = [
            *super().check(inputs),
            *one_of(inputs, "vpcEndpointType", ("Gateway", "Interface")),
            *one_of(inputs, "ipAddressType", ("ipv4", "dualstack", "ipv6")),
            *json_text(inputs, "policy"),
        ]
        if "serviceName" not in inputs:
            problems.append(("serviceName", "is missing: give the service, such as com.amazonaws.<region>.s3"))
        foreign = {"Gateway": INTERFACE_ONLY, "Interface": ("routeTableIds",)}.get(str(kind), ())
        problems += [
            (name, f"does not apply to a {kind} endpoint: leave it out") for name in foreign if inputs.get(name)
        ]
        options: Any = inputs.get("dnsOptions")
        for name in sorted(options.keys() - DNS_OPTIONS.keys()) if isinstance(options, dict) else ():
            problems.append(("dnsOptions", f"'{name}' is not supported here: leave it out"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        id = self.client(aws, inputs).create_vpc_endpoint(
            VpcId=inputs["vpcId"],
            ServiceName=inputs["serviceName"],
            VpcEndpointType=inputs.get("vpcEndpointType", "Gateway"),
            PrivateDnsEnabled=inputs.get("privateDnsEnabled", False),
            **{key: inputs[name] for name, key in MEMBERS.items() if inputs.get(name)},
            **given(
                PolicyDocument=inputs.get("policy"),
                IpAddressType=inputs.get("ipAddressType"),
                DnsOptions=_dns_options(inputs),
            ),
            **self.tagging(inputs),
        )["VpcEndpoint"]["VpcEndpointId"]
        aws.created(id)
        self._wait(aws, id, inputs, "available")
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        prefix_list = self._prefix_list(aws, inputs, live["ServiceName"])
        options = live.get("DnsOptions", {})
        return {
            "arn": arn(self.region(aws, inputs), live["OwnerId"], f"vpc-endpoint/{id}"),
            "ownerId": live["OwnerId"],
            "state": live["State"],
            "requesterManaged": live.get("RequesterManaged", False),
            "networkInterfaceIds": live.get("NetworkInterfaceIds", []),
            "dnsEntries": [
                present(dnsName=entry.get("DnsName"), hostedZoneId=entry.get("HostedZoneId"))
                for entry in live.get("DnsEntries", [])
            ],
            "prefixListId": prefix_list.get("PrefixListId", ""),
            "cidrBlocks": prefix_list.get("Cidrs", []),
            "vpcId": live["VpcId"],
            "serviceName": live["ServiceName"],
            "vpcEndpointType": live["VpcEndpointType"],
            "privateDnsEnabled": live.get("PrivateDnsEnabled", False),
            **present(
                serviceRegion=live.get("ServiceRegion"),
                ipAddressType=live.get("IpAddressType"),
                policy=document(live.get("PolicyDocument"), inputs.get("policy")),
                dnsOptions={name: options[key] for name, key in DNS_OPTIONS.items() if key in options},
                routeTableIds=live.get("RouteTableIds"),
                subnetIds=live.get("SubnetIds"),
                securityGroupIds=[group["GroupId"] for group in live.get("Groups", [])],
            ),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        arguments: dict[str, Any] = {}
        for name in changed & set(MEMBERS):
            before, after = set(old.get(name) or []), set(new.get(name) or [])
            if after - before:
                arguments[f"Add{MEMBERS[name]}"] = sorted(after - before)
            if before - after:
                arguments[f"Remove{MEMBERS[name]}"] = sorted(before - after)
        if "policy" in changed:
            arguments |= {"PolicyDocument": new["policy"]} if new.get("policy") else {"ResetPolicy": True}
        if "privateDnsEnabled" in changed:
            arguments["PrivateDnsEnabled"] = new.get("privateDnsEnabled", False)
        if "ipAddressType" in changed and new.get("ipAddressType"):
            arguments["IpAddressType"] = new["ipAddressType"]
        if "dnsOptions" in changed and new.get("dnsOptions"):
            arguments["DnsOptions"] = _dns_options(new)
        if arguments:
            self.client(aws, new).modify_vpc_endpoint(VpcEndpointId=id, **arguments)
            self._wait(aws, id, new, "available")

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.find(aws, id, state)  # a deleted endpoint stays listed for a while
        reply = self.client(aws, state).delete_vpc_endpoints(VpcEndpointIds=[id])
        for failure in reply.get("Unsuccessful", []):
            error = failure["Error"]
            if error["Code"] not in GONE:
                raise ValueError(f"DeleteVpcEndpoints: {error['Code']}: {error['Message']}")
        self._wait(aws, id, state, "deleted")

    def _wait(self, aws: Aws, id: str, props: Props, wanted: str) -> None:
        wait_until(
            f"VPC endpoint {id}",
            lambda: self._status(aws, id, props),
            {wanted},
            timeout=aws.timeout,
            failed={"failed", "rejected", "expired"},
        )

    def _status(self, aws: Aws, id: str, props: Props) -> str:
        try:
            return str(self.find(aws, id, props)["State"]).lower()
        except NotFoundError:
            return "deleted"

    def _prefix_list(self, aws: Aws, inputs: Props, service: str) -> Live:
        filters = [{"Name": "prefix-list-name", "Values": [service]}]
        found = self.client(aws, inputs).describe_prefix_lists(Filters=filters)["PrefixLists"]
        return found[0] if found else {}


def _dns_options(inputs: Props) -> dict[str, Any] | None:
    options = inputs.get("dnsOptions") or {}
    return {key: options[name] for name, key in DNS_OPTIONS.items() if name in options} or None


HANDLERS: list[Handler] = [VpcEndpoint()]
