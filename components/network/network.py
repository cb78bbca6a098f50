"""VPC over several zones with four kinds of subnets, each with only the internet access that its resources need.

public: load balancers and NAT gateways. private: nodes. pods: pods, from a secondary range that is not routed outside
the VPC. intra: resources that need no internet access, such as the database and the cluster's own network interfaces.
Connected networks reach only the intra subnets.
"""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.network.arguments import NetworkArgs, NetworkHandle
from components.network.connections import Connection, ConnectionArgs
from components.network.endpoints import Endpoints, EndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.subnets import ZoneSubnets

EVERYWHERE = "0.0.0.0/0"


class Network(pulumi.ComponentResource):
    handle: NetworkHandle

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Network", name, {}, opts)
        spec = args.spec
        self._name, self._args, self._plan = name, args, spec.plan()
        self._child = pulumi.ResourceOptions(parent=self)

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=spec.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=self._child,
        )
        self._vpc_id = vpc.id
        # Every VPC has this default group and nobody can delete it. Without rules it allows no traffic by accident.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags={"Name": f"{name}-default-unused"},
            opts=self._child,
        )
        pod_range = aws.ec2.VpcIpv4CidrBlockAssociation(
            f"{name}-pod-range", vpc_id=vpc.id, cidr_block=spec.pod_cidr, opts=self._child
        )

        public = self._subnets("public", vpc.id, {"kubernetes.io/role/elb": "1"})
        private = self._subnets("private", vpc.id, {"kubernetes.io/role/internal-elb": "1"})
        intra = self._subnets("intra", vpc.id, {})
        pods = self._subnets("pods", pod_range.vpc_id, {})

        gateways = self._internet(public)
        private_tables = [self._private_routes(zone, gateways, private, pods) for zone in self._plan]
        intra_table = self._route_table("intra")
        for zone, subnet_id in intra.items():
            self._associate("intra", zone, subnet_id, intra_table)

        self._connections(intra, intra_table)
        self._flow_logs_and_endpoints([*private_tables, intra_table], private)
        self.handle = NetworkHandle(
            vpc_id=vpc.id,
            cidr=spec.cidr,
            pod_cidr=spec.pod_cidr,
            endpoint_ranges=tuple(zone.private for zone in self._plan) if spec.interface_endpoints else (),
            intra_ranges=tuple(zone.intra for zone in self._plan),
            public_subnets=public,
            private_subnets=private,
            intra_subnets=intra,
            pod_subnets=pods,
        )
        self.register_outputs({})

    def _subnets(
        self, kind: str, vpc_id: pulumi.Output[str], role: Mapping[str, str]
    ) -> Mapping[str, pulumi.Output[str]]:
        return {zone.zone: self._subnet(kind, zone, vpc_id, role) for zone in self._plan}

    def _subnet(
        self, kind: str, zone: ZoneSubnets, vpc_id: pulumi.Output[str], role: Mapping[str, str]
    ) -> pulumi.Output[str]:
        name = f"{self._name}-{kind}-{zone.letter}"
        ranges = {"public": zone.public, "private": zone.private, "intra": zone.intra, "pods": zone.pods}
        return aws.ec2.Subnet(
            name,
            vpc_id=vpc_id,
            availability_zone=zone.zone,
            cidr_block=ranges[kind],
            map_public_ip_on_launch=False,
            tags={"Name": name, **role},
            opts=self._child,
        ).id

    def _internet(self, public: Mapping[str, pulumi.Output[str]]) -> Mapping[str, pulumi.Output[str]]:
        """Create the internet gateway and NAT gateways, and return the NAT gateways by zone letter.

        With `single`, the only gateway is also named after its zone, so a change to `per_zone` keeps it and its
        address.
        """
        internet = aws.ec2.InternetGateway(
            f"{self._name}-internet", vpc_id=self._vpc_id, tags={"Name": self._name}, opts=self._child
        )
        table = self._route_table("public")
        aws.ec2.Route(
            f"{self._name}-public-internet",
            route_table_id=table,
            destination_cidr_block=EVERYWHERE,
            gateway_id=internet.id,
            opts=self._child,
        )
        for zone, subnet_id in public.items():
            self._associate("public", zone, subnet_id, table)
        # A NAT gateway does not refer to the internet gateway, but its creation fails while the VPC has none.
        after_internet = pulumi.ResourceOptions(parent=self, depends_on=[internet])
        gateways: dict[str, pulumi.Output[str]] = {}
        for zone in self._plan:
            if self._args.spec.nat_zone(zone.letter) != zone.letter:
                continue
            name = f"{self._name}-nat-{zone.letter}"
            address = aws.ec2.Eip(f"{name}-address", domain="vpc", tags={"Name": name}, opts=after_internet)
            gateways[zone.letter] = aws.ec2.NatGateway(
                name,
                allocation_id=address.allocation_id,
                subnet_id=public[zone.zone],
                connectivity_type="public",
                tags={"Name": name},
                opts=after_internet,
            ).id
        return gateways

    def _private_routes(
        self,
        zone: ZoneSubnets,
        gateways: Mapping[str, pulumi.Output[str]],
        private: Mapping[str, pulumi.Output[str]],
        pods: Mapping[str, pulumi.Output[str]],
    ) -> pulumi.Output[str]:
        """Create one route table per zone, whatever the NAT mode.

        A change of the NAT mode therefore changes routes, and never moves a subnet to another table.
        """
        table = self._route_table(f"private-{zone.letter}")
        self._associate("private", zone.zone, private[zone.zone], table)
        self._associate("pods", zone.zone, pods[zone.zone], table)
        letter = self._args.spec.nat_zone(zone.letter)
        if letter is not None:
            aws.ec2.Route(
                f"{self._name}-private-{zone.letter}-nat",
                route_table_id=table,
                destination_cidr_block=EVERYWHERE,
                nat_gateway_id=gateways[letter],
                opts=self._child,
            )
        return table

    def _route_table(self, suffix: str) -> pulumi.Output[str]:
        name = f"{self._name}-{suffix}"
        return aws.ec2.RouteTable(f"{name}-routes", vpc_id=self._vpc_id, tags={"Name": name}, opts=self._child).id

    def _associate(self, kind: str, zone: str, subnet: pulumi.Output[str], table: pulumi.Output[str]) -> None:
        aws.ec2.RouteTableAssociation(
            f"{self._name}-{kind}-{zone[-1]}-association", subnet_id=subnet, route_table_id=table, opts=self._child
        )

    def _connections(self, intra: Mapping[str, pulumi.Output[str]], table: pulumi.Output[str]) -> None:
        for name, spec in self._args.spec.connections.items():
            Connection(
                f"{self._name}-to-{name}",
                ConnectionArgs(
                    spec=spec,
                    setting=f"network.connections.{name}.gateway",
                    vpc_id=self._vpc_id,
                    subnet_ids=tuple(intra.values()),
                    route_table_id=table,
                ),
                self._child,
            )

    def _flow_logs_and_endpoints(
        self, route_table_ids: list[pulumi.Output[str]], private: Mapping[str, pulumi.Output[str]]
    ) -> None:
        FlowLogs(
            f"{self._name}-flow-logs",
            FlowLogsArgs(
                account=self._args.account,
                vpc_id=self._vpc_id,
                key_arn=self._args.logs_key_arn,
                retention_days=self._args.spec.flow_log_retention_days,
            ),
            self._child,
        )
        Endpoints(
            f"{self._name}-endpoints",
            EndpointsArgs(
                region=self._args.account.region,
                vpc_id=self._vpc_id,
                route_table_ids=tuple(route_table_ids),
                subnet_ids=tuple(private.values()),
                clients={"vpc": self._args.spec.cidr, "pods": self._args.spec.pod_cidr},
                services=self._args.spec.interface_endpoints,
            ),
            self._child,
        )
