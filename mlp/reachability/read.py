"""Reader of the network from the resources of a program, recorded with mocks. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, Protocol

from mlp.reachability.network import ANYWHERE, EVERYTHING, Endpoint, Group, Member, Network, Route, Rule, Subnet, Table

# Types of route targets, by the input that names the target.
_TARGETS = {
    "gatewayId": "internet gateway",
    "natGatewayId": "NAT gateway",
    "transitGatewayId": "transit gateway",
    "vpcPeeringConnectionId": "peering connection",
}


class Resource(Protocol):
    """Properties of a resource that the program declares."""

    @property
    def typ(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...


def read(resources: Iterable[Resource]) -> Network:
    """Read the network from the resources of a program that was recorded with mocks.

    Raises:
        ValueError: there is not exactly one VPC, cluster and database.
    """
    declared = list(resources)

    def of(kind: str) -> list[Resource]:
        return [each for each in declared if each.typ.startswith("aws:") and each.typ.endswith(f":{kind}")]

    def only(kind: str) -> Resource:
        found = of(kind)
        if len(found) != 1:
            raise ValueError(f"the program declares {len(found)} resources of type {kind}: this check looks at one")
        return found[0]

    vpc, cluster, database = only("Vpc"), only("Cluster"), only("Instance")
    tables = {table.id: table for table in _tables(of("RouteTable"), of("Route"))}
    subnets = _subnets(of("Subnet"), of("RouteTableAssociation"), tables)
    own = cluster_group(cluster.name)
    groups = {each.id: each for each in _groups(of("SecurityGroup"), of, own)}
    vpc_config = cluster.inputs["vpcConfig"]
    pods = _pods(of("Addon"), subnets)
    db_subnets = next(each for each in of("SubnetGroup") if each.name == database.inputs["dbSubnetGroupName"])
    return Network(
        subnets=subnets,
        groups=groups,
        endpoints=[_endpoint(each) for each in of("VpcEndpoint")],
        attachments={
            each.inputs["transitGatewayId"]: _named(subnets, each.inputs["subnetIds"]) for each in of("VpcAttachment")
        },
        nats={_id(each): subnets[each.inputs["subnetId"]] for each in of("NatGateway")},
        internet_gateways=frozenset(_id(each) for each in of("InternetGateway")),
        api=Member(
            name="the Kubernetes API",
            subnets=_named(subnets, vpc_config["subnetIds"]),
            groups=(own, *vpc_config.get("securityGroupIds", ())),
        ),
        public_ranges=tuple(vpc_config.get("publicAccessCidrs") or ()) if vpc_config["endpointPublicAccess"] else (),
        nodes=[_nodes(each, of("LaunchTemplate"), subnets, own) for each in of("NodeGroup")],
        pods=pods,
        own_pods=_own_pods([each for each in declared if each.typ.endswith(":SecurityGroupPolicy")], pods),
        database=Member(
            name="the database",
            subnets=_named(subnets, db_subnets.inputs["subnetIds"]),
            groups=tuple(database.inputs["vpcSecurityGroupIds"]),
        ),
        database_port=int(database.inputs["port"]),
        resolves_names=bool(vpc.inputs.get("enableDnsSupport", True)) and bool(vpc.inputs.get("enableDnsHostnames")),
        unknown=tuple(each.name for each in of("NetworkAcl")),
    )


def cluster_group(cluster: str) -> str:
    """Return the id that the mocks give to the security group that EKS creates with a cluster."""
    return f"sg-{cluster}"


def _id(resource: Resource) -> str:
    """Return the id that the mocks give to a resource."""
    return f"{resource.name}-id"


def _named(subnets: Mapping[str, Subnet], ids: Iterable[str]) -> tuple[Subnet, ...]:
    return tuple(subnets[id] for id in ids)


def _tables(tables: Iterable[Resource], routes: Sequence[Resource]) -> Iterable[Table]:
    for table in tables:
        mine = [each.inputs for each in routes if each.inputs["routeTableId"] == _id(table)]
        yield Table(id=_id(table), name=table.name, routes=tuple(_route(inputs) for inputs in mine))


def _route(inputs: Mapping[str, Any]) -> Route:
    named = next(name for name in _TARGETS if inputs.get(name))
    return Route(
        destination=IPv4Network(inputs["destinationCidrBlock"]), kind=_TARGETS[named], target=str(inputs[named])
    )


def _subnets(
    subnets: Iterable[Resource], associations: Iterable[Resource], tables: Mapping[str, Table]
) -> dict[str, Subnet]:
    served = {each.inputs["subnetId"]: tables[each.inputs["routeTableId"]] for each in associations}
    return {
        _id(each): Subnet(
            id=_id(each),
            name=each.name,
            cidr=IPv4Network(each.inputs["cidrBlock"]),
            zone=each.inputs["availabilityZone"],
            table=served.get(_id(each)),
        )
        for each in subnets
    }


def _groups(declared: Iterable[Resource], of: Any, own: str) -> Iterable[Group]:
    """Yield the security groups of the program, and the cluster's own group with the rules that EKS creates.

    https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
    """
    rules = {
        kind: [(each.inputs["securityGroupId"], _rule(each.inputs)) for each in of(f"SecurityGroup{kind}Rule")]
        for kind in ("Ingress", "Egress")
    }

    def written(id: str, kind: str) -> tuple[Rule, ...]:
        return tuple(rule for group, rule in rules[kind] if group == id)

    for each in declared:
        id = _id(each)
        yield Group(id=id, name=each.name, ingress=written(id, "Ingress"), egress=written(id, "Egress"))
    yield Group(
        id=own,
        name="the cluster's own security group",
        ingress=(Rule(protocol=EVERYTHING, first=0, last=65535, group=own), *written(own, "Ingress")),
        egress=(Rule(protocol=EVERYTHING, first=0, last=65535, network=ANYWHERE), *written(own, "Egress")),
    )


def _rule(inputs: Mapping[str, Any]) -> Rule:
    cidr = inputs.get("cidrIpv4")
    return Rule(
        protocol=str(inputs["ipProtocol"]),
        first=int(inputs.get("fromPort", 0)),
        last=int(inputs.get("toPort", 65535)),
        network=IPv4Network(cidr) if cidr else None,
        group=inputs.get("referencedSecurityGroupId"),
    )


def _endpoint(resource: Resource) -> Endpoint:
    inputs = resource.inputs
    return Endpoint(
        name=resource.name,
        service=inputs["serviceName"].split(".", 3)[3],
        is_interface=inputs["vpcEndpointType"] == "Interface",
        private_dns=bool(inputs.get("privateDnsEnabled")),
        subnets=frozenset(inputs.get("subnetIds") or ()),
        groups=tuple(inputs.get("securityGroupIds") or ()),
        tables=frozenset(inputs.get("routeTableIds") or ()),
    )


def _nodes(group: Resource, templates: Iterable[Resource], subnets: Mapping[str, Subnet], own: str) -> Member:
    """Return the nodes of a group. EKS assigns the cluster's security group if the launch template names none."""
    template = next(each for each in templates if _id(each) == group.inputs["launchTemplate"]["id"])
    interfaces = template.inputs.get("networkInterfaces") or [{}]
    named = interfaces[0].get("securityGroups") or template.inputs.get("vpcSecurityGroupIds") or [own]
    return Member(
        name=f"nodes of {group.name}", subnets=_named(subnets, group.inputs["subnetIds"]), groups=tuple(named)
    )


def _pods(addons: Iterable[Resource], subnets: Mapping[str, Subnet]) -> list[Member]:
    """Return the pods per zone. The ENIConfig of the node's zone sets their subnet and security groups.

    https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html
    """
    written = next(each.inputs["configurationValues"] for each in addons if "vpc-cni" in each.name)
    configured: Mapping[str, Any] = json.loads(written)["eniConfig"]
    return [
        Member(
            name=f"pods in {configured['region']}{letter}",
            subnets=_named(subnets, [each["id"]]),
            groups=tuple(each["securityGroups"]),
        )
        for letter, each in sorted(configured["subnets"].items())
    ]


def _own_pods(policies: Iterable[Resource], pods: Sequence[Member]) -> list[Member]:
    """Return the pods with a SecurityGroupPolicy: in the subnets of all pods, but with the groups of the policy.

    https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html
    """
    return [
        Member(
            name=f"{policy.inputs['metadata']['name']}'s {each.name}",
            subnets=each.subnets,
            groups=tuple(policy.inputs["spec"]["securityGroups"]["groupIds"]),
        )
        for policy in policies
        for each in pods
    ]
