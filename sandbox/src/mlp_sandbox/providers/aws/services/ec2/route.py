"""Route tables, routes, and associations of subnets and gateways with tables."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

TABLE_GONE = "InvalidRouteTableID.NotFound"
TABLES = Api("route-table", "describe_route_tables", "RouteTableIds", "RouteTables", (TABLE_GONE,))
DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
TARGETS = {
    "carrierGatewayId": "CarrierGatewayId",
    "coreNetworkArn": "CoreNetworkArn",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "odbNetworkArn": "OdbNetworkArn",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}
ROUTE_ID = re.compile(r"r-(?P<table>rtb-[0-9a-f]{17})(?P<hash>\d+)")


class RouteTable(Ec2Handler):
    token = "aws:ec2/routeTable:RouteTable"
    tagged = True
    api = TABLES
    outputs = ("arn", "ownerId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "propagatingVgws": Field(kind="set"),
        "routes": Field(kind="set", computed=True),
        "vpcId": Field(replace=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "propagatingVgws": "an emulated account has no virtual private gateways; leave it out"
    }

    def check(self, inputs: Props) -> Problems:
        # An empty list is rejected, too: the official provider would then remove the routes that other resources add.
        fix = "inline routes are not supported here: leave routes out and declare each as an ec2.Route"
        return [*super().check(inputs), *([("routes", fix)] if "routes" in inputs else [])]

    def create(self, aws: Aws, inputs: Props) -> str:
        reply = self.client(aws, inputs).create_route_table(VpcId=inputs["vpcId"], **self.tagging(inputs))
        return str(reply["RouteTable"]["RouteTableId"])

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        owner = live["OwnerId"]
        return {
            "arn": arn(self.region(aws, inputs), owner, f"route-table/{id}"),
            "ownerId": owner,
            "vpcId": live["VpcId"],
        }

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        ec2 = self.client(aws, state)
        for association in self.find(aws, id, state)["Associations"]:
            if not association["Main"]:
                ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
        ec2.delete_route_table(RouteTableId=id)


class Route(Ec2Handler):
    token = "aws:ec2/route:Route"
    api = Api("route", TABLES.describe, TABLES.ids, TABLES.items, (TABLE_GONE, "InvalidRoute.NotFound"))
    outputs = ("origin", "state")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **{name: Field(replace=True) for name in DESTINATIONS},
        **{name: Field() for name in TARGETS},
        "routeTableId": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        for kinds, what in ((DESTINATIONS, "destination"), (TARGETS, "target")):
            found = [name for name in kinds if name in inputs]
            if len(found) != 1:
                said = f"{' and '.join(found)} are given" if found else "none is given"
                first = found[0] if found else next(iter(kinds))
                problems.append((first, f"a route has one {what}: give one of {', '.join(kinds)}; {said}"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        table = inputs["routeTableId"]
        self.client(aws, inputs).create_route(RouteTableId=table, **_arguments(inputs, {**DESTINATIONS, **TARGETS}))
        return f"r-{table}{_hash(_destination(inputs))}"

    def find(self, aws: Aws, id: str, props: Props) -> Live:
        """Find a route by `r-<table><hash of the destination>`, or by `<table>_<destination>` from `pulumi import`."""
        made = ROUTE_ID.fullmatch(id)
        table, _, destination = id.partition("_")
        for live in super().find(aws, made["table"] if made else table, props)["Routes"]:
            found = _destination(live)
            if (_hash(found) == made["hash"] if made else found == destination) and found:
                return {**live, "RouteTableId": made["table"] if made else table}
        raise NotFoundError(f"route {id}")

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        found = {name: live.get(key) for name, key in {**DESTINATIONS, **TARGETS}.items()}
        if str(found["gatewayId"]).startswith("vpce-"):
            found["vpcEndpointId"], found["gatewayId"] = found["gatewayId"], None
        return {
            "routeTableId": live["RouteTableId"],
            "origin": live.get("Origin", ""),
            "state": live.get("State", ""),
            **present(**found),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        arguments = _arguments(new, {**DESTINATIONS, **TARGETS})
        self.client(aws, new).replace_route(RouteTableId=new["routeTableId"], **arguments)

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        live = self.find(aws, id, state)
        destination = {key: live[key] for key in DESTINATIONS.values() if live.get(key)}
        self.client(aws, state).delete_route(RouteTableId=live["RouteTableId"], **destination)


class RouteTableAssociation(Ec2Handler):
    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    api = Api("route-table-association", "", "", "", (TABLE_GONE, "InvalidAssociationID.NotFound"))
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "gatewayId": Field(replace=True),
        "routeTableId": Field(),
        "subnetId": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        if ("subnetId" in inputs) == ("gatewayId" in inputs):
            return [("subnetId", "a table serves one subnet or one gateway: give one of subnetId, gatewayId")]
        return super().check(inputs)

    def create(self, aws: Aws, inputs: Props) -> str:
        names = {"routeTableId": "RouteTableId", "subnetId": "SubnetId", "gatewayId": "GatewayId"}
        return str(self.client(aws, inputs).associate_route_table(**_arguments(inputs, names))["AssociationId"])

    def find(self, aws: Aws, id: str, props: Props) -> Live:
        """Find an association by its id, else by its subnet or gateway.

        A move to another table gives it a new id, which the engine cannot take over. `pulumi import` takes
        `<subnet or gateway>/<route table>`.
        """
        served, _, table = id.partition("/")
        served = served if table else props.get("subnetId") or props.get("gatewayId")
        by_subject: Live | None = None
        for page in self.client(aws, props).get_paginator("describe_route_tables").paginate():
            for live in (one for route_table in page["RouteTables"] for one in route_table["Associations"]):
                if live["RouteTableAssociationId"] == id:
                    return live
                if not live["Main"] and served and served in (live.get("SubnetId"), live.get("GatewayId")):
                    by_subject = live
        if by_subject is None or (table and by_subject["RouteTableId"] != table):
            raise NotFoundError(f"route table association {id}")
        return by_subject

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        served = present(subnetId=live.get("SubnetId"), gatewayId=live.get("GatewayId"))
        return {"routeTableId": live["RouteTableId"], **served}

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self.client(aws, new).replace_route_table_association(
            AssociationId=self.find(aws, id, old)["RouteTableAssociationId"], RouteTableId=new["routeTableId"]
        )

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        association = self.find(aws, id, state)["RouteTableAssociationId"]
        self.client(aws, state).disassociate_route_table(AssociationId=association)


def _arguments(inputs: Props, names: Mapping[str, str]) -> dict[str, Any]:
    return {key: inputs[name] for name, key in names.items() if inputs.get(name)}


def _destination(route: Mapping[str, Any]) -> str:
    return next((str(route[key]) for pair in DESTINATIONS.items() for key in pair if route.get(key)), "")


def _hash(destination: str) -> str:
    return str(zlib.crc32(destination.encode()))


HANDLERS: list[Handler] = [RouteTable(), Route(), RouteTableAssociation()]
