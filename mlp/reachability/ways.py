"""Check of the network paths that an environment needs: one sentence for each path that is not open. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from mlp.reachability.network import ANYWHERE, Endpoint, Group, Member, Network, Subnet

HTTPS, DNS, KUBELET, MLFLOW = 443, 53, 10250, 5000
# Services that nodes call: nodeadm, the kubelet, the VPC CNI and the Pod Identity agent.
# https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html
OF_NODES = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts")
# Services that the program's pods call: node groups (autoscaler) and secrets (all others). Roles come from the agent.
OF_PODS = ("autoscaling", "ec2", "eks", "secretsmanager", "sts")
STORAGE = "s3"


@dataclass(frozen=True, order=True)
class Finding:
    """Network path that is not open, and the missing part."""

    way: str
    missing: str

    def __str__(self) -> str:
        return f"{self.way}: {self.missing}"


def findings(network: Network, callers: Mapping[str, str]) -> list[Finding]:
    """Return the missing parts of a program's network. `callers` are private ranges of CI and people, by name."""
    return sorted({*_callers(network, callers), *_inside(network), *_services(network), *_whole(network)})


def _whole(network: Network) -> Iterator[Finding]:
    for name in network.unknown:
        yield Finding("the check", f"it does not know network ACLs, and the program makes {name}")
    if not network.resolves_names:
        yield Finding(
            "pods and nodes reach private endpoints", "the VPC has enableDnsSupport or enableDnsHostnames switched off"
        )


def _callers(network: Network, callers: Mapping[str, str]) -> Iterator[Finding]:
    """Check the paths from callers outside the VPC to the API and back."""
    if not callers and not network.public_ranges:
        yield Finding("CI reaches the Kubernetes API", "it is private, and no range outside the VPC may call it")
    for name, cidr in callers.items():
        way, caller = f"{name} ({cidr}) reaches the Kubernetes API", IPv4Network(cidr)
        api = network.api
        if not _lets_in(network, api.groups, caller, frozenset(), "tcp", HTTPS):
            groups = _titles(network, api.groups)
            yield Finding(way, f"none of its security groups ({groups}) lets {cidr} in on TCP {HTTPS}")
        for subnet in api.subnets:
            missing = _way_back(network, subnet, caller)
            if missing:
                yield Finding(way, missing)


def _way_back(network: Network, subnet: Subnet, caller: IPv4Network) -> str | None:
    if subnet.table is None:
        return f"{subnet.name} is associated with no route table, so answers to {caller} go nowhere"
    route = subnet.table.way_to(caller)
    if route is None or route.kind not in ("transit gateway", "peering connection"):
        return f"{subnet.table.name}, the table of {subnet.name}, has no route back to {caller}"
    if route.kind == "peering connection":
        return None
    attached = network.attachments.get(route.target)
    if attached is None:
        return f"{subnet.table.name} routes {caller} to {route.target}, which the VPC is not attached to"
    if subnet.zone not in {each.zone for each in attached}:
        return f"the attachment to {route.target} has no subnet in {subnet.zone}, where {subnet.name} is"
    return None


def _inside(network: Network) -> Iterator[Finding]:
    """Check the paths within the VPC. Every address has a route there, so only security groups matter."""
    api, database = network.api, network.database
    covered = {subnet.zone for member in network.pods for subnet in member.subnets}
    for nodes in network.nodes:
        yield from _connection(network, nodes, api, "tcp", HTTPS)
        yield from _connection(network, api, nodes, "tcp", KUBELET)
        for zone in sorted({subnet.zone for subnet in nodes.subnets} - covered):
            yield Finding(f"pods on {nodes.name} get an address", f"the VPC CNI has no ENIConfig for {zone}")
    for pods in network.pods:
        yield from _connection(network, pods, api, "tcp", HTTPS)
    for pods in network.own_pods:
        yield from _connection(network, pods, database, "tcp", network.database_port)
        for client in (*network.pods, *network.own_pods):
            yield from _connection(network, client, pods, "tcp", MLFLOW)
    for pods in (*network.pods, *network.own_pods):
        for other in (*network.pods, *network.nodes):
            for protocol in ("udp", "tcp"):
                yield from _connection(network, pods, other, protocol, DNS, what=f"DNS among {other.name}")


def _connection(
    network: Network, caller: Member, answering: Member, protocol: str, port: int, what: str = ""
) -> Iterator[Finding]:
    way = f"{caller.name} reach {what or answering.name}"
    members = frozenset(caller.groups)
    if not all(
        _lets_out(network, caller.groups, subnet.cidr, answering, protocol, port) for subnet in answering.subnets
    ):
        groups = _titles(network, caller.groups)
        yield Finding(way, f"{groups} lets no {protocol.upper()} {port} out to {answering.name}")
    refused = [
        subnet
        for subnet in caller.subnets
        if not _lets_in(network, answering.groups, subnet.cidr, members, protocol, port)
    ]
    if refused:
        groups = _titles(network, answering.groups)
        yield Finding(way, f"{groups} lets no {protocol.upper()} {port} in from {_titles(network, caller.groups)}")


def _services(network: Network) -> Iterator[Finding]:
    for nodes in network.nodes:
        for service in OF_NODES:
            yield from _service(network, nodes, service, nodes.subnets)
        yield from _storage(network, nodes)
    for pods in (*network.pods, *network.own_pods):
        # Packets of pods that leave the VPC get the node's address and use the routes of the node's subnet.
        # https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html
        zones = {subnet.zone for subnet in pods.subnets}
        out = {subnet for nodes in network.nodes for subnet in nodes.subnets if subnet.zone in zones}
        for service in OF_PODS:
            yield from _service(network, pods, service, sorted(out, key=lambda each: each.name))
        yield from _storage(network, pods)


def _service(network: Network, caller: Member, service: str, out: Iterable[Subnet]) -> Iterator[Finding]:
    """Check the path to an AWS service: by an interface endpoint with private DNS if there is one, otherwise by NAT."""
    way = f"{caller.name} reach {service}"
    endpoint = next((each for each in network.endpoints if each.service == service and each.private_dns), None)
    if endpoint is not None:
        yield from _interface(network, caller, endpoint, way)
        return
    for subnet in out:
        missing = _internet(network, subnet)
        if missing:
            yield Finding(way, f"there is no interface endpoint of {service} with private DNS, and {missing}")


def _interface(network: Network, caller: Member, endpoint: Endpoint, way: str) -> Iterator[Finding]:
    if not endpoint.subnets:
        yield Finding(way, f"endpoint {endpoint.name} is in no subnet")
    there = Member(
        name=f"endpoint {endpoint.name}",
        subnets=tuple(network.subnets[each] for each in sorted(endpoint.subnets)),
        groups=endpoint.groups,
    )
    if not all(_lets_out(network, caller.groups, each.cidr, there, "tcp", HTTPS) for each in there.subnets):
        yield Finding(way, f"{_titles(network, caller.groups)} lets no TCP {HTTPS} out to {there.name}")
    for subnet in caller.subnets:
        if not _lets_in(network, endpoint.groups, subnet.cidr, frozenset(caller.groups), "tcp", HTTPS):
            groups = _titles(network, endpoint.groups)
            yield Finding(
                way, f"{groups} of endpoint {endpoint.name} lets {subnet.name} ({subnet.cidr}) not in on TCP {HTTPS}"
            )


def _storage(network: Network, caller: Member) -> Iterator[Finding]:
    """Check the path to S3. Image layers and models are large and must use the free gateway endpoint, never NAT."""
    gateway = next((each for each in network.endpoints if each.service == STORAGE and not each.is_interface), None)
    way = f"{caller.name} reach {STORAGE}"
    if gateway is None:
        yield Finding(way, f"there is no gateway endpoint of {STORAGE}, where layers of images come from")
        return
    for subnet in caller.subnets:
        if subnet.table is None or subnet.table.id not in gateway.tables:
            table = subnet.table.name if subnet.table else "no route table"
            yield Finding(way, f"endpoint {gateway.name} has no route in {table}, the table of {subnet.name}")


def _internet(network: Network, subnet: Subnet) -> str | None:
    """Return the missing part of a subnet's path to the internet through NAT, None if it is open."""
    if subnet.table is None:
        return f"{subnet.name} is associated with no route table"
    route = subnet.table.way_to(ANYWHERE)
    if route is None:
        return f"{subnet.table.name}, the table of {subnet.name}, has no route to a NAT gateway"
    if route.kind == "internet gateway":
        return (
            f"{subnet.table.name}, the table of {subnet.name}, leads to the internet, and nodes have no public address"
        )
    nat = network.nats.get(route.target)
    if nat is None:
        return f"{subnet.table.name} leads to {route.target}, which is no NAT gateway of the program"
    onwards = nat.table.way_to(ANYWHERE) if nat.table else None
    if onwards is None or onwards.target not in network.internet_gateways:
        return f"{nat.name}, where {route.target} is, has no route to an internet gateway"
    return None


def _lets_in(
    network: Network, groups: Iterable[str], source: IPv4Network, members: frozenset[str], protocol: str, port: int
) -> bool:
    """Return whether some group admits the whole range, or members of the given groups.

    Without groups nothing is open.
    """
    return any(
        rule.covers(protocol, port)
        and ((rule.network is not None and source.subnet_of(rule.network)) or rule.group in members)
        for group in _known(network, groups)
        for rule in group.ingress
    )


def _lets_out(
    network: Network, groups: Iterable[str], target: IPv4Network, answering: Member, protocol: str, port: int
) -> bool:
    return any(
        rule.covers(protocol, port)
        and ((rule.network is not None and target.subnet_of(rule.network)) or rule.group in answering.groups)
        for group in _known(network, groups)
        for rule in group.egress
    )


def _known(network: Network, groups: Iterable[str]) -> list[Group]:
    return [network.groups[id] for id in groups if id in network.groups]


def _titles(network: Network, groups: Iterable[str]) -> str:
    return " and ".join(each.name for each in _known(network, groups)) or "no security group"
