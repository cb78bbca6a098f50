"""Holes planted into an environment's network: each removes one thing and names the message about it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mlp.recording import Recorded

Plant = Callable[[list[Recorded]], None]

TABLE, INTRA = "network-private-a-routes", "network-intra-routes"
OWN_GROUP = "sg-cluster-control-plane"
ENDPOINTS = "network-endpoints-callers"


def ours(resource: Recorded, *names: str) -> bool:
    """Return whether this is an AWS resource of that name; a NetworkPolicy may share a security rule's name."""
    return resource.typ.startswith("aws:") and resource.name in names


def changed(resources: list[Recorded], name: str, **inputs: Any) -> None:
    """Change inputs of a resource; an input that becomes None is removed."""
    [position] = [number for number, each in enumerate(resources) if ours(each, name)]
    found = resources[position]
    merged = {key: value for key, value in {**found.inputs, **inputs}.items() if value is not None}
    resources[position] = replace(found, inputs=merged)


def without(*names: str) -> Plant:
    def plant(resources: list[Recorded]) -> None:
        gone = [each for each in resources if ours(each, *names)]
        assert {each.name for each in gone} == set(names)
        for each in gone:
            resources.remove(each)

    return plant


def given(name: str, **inputs: Any) -> Plant:
    return lambda resources: changed(resources, name, **inputs)


def both(*plants: Plant) -> Plant:
    def plant(resources: list[Recorded]) -> None:
        for each in plants:
            each(resources)

    return plant


def without_eni_config(zone: str) -> Plant:
    def plant(resources: list[Recorded]) -> None:
        [addon] = [each for each in resources if each.name == "node-addons-vpc-cni-addon"]
        configuration = json.loads(addon.inputs["configurationValues"])
        del configuration["eniConfig"]["subnets"][zone]
        changed(resources, addon.name, configurationValues=json.dumps(configuration))

    return plant


def pods_in_group(group: str) -> Plant:
    def plant(resources: list[Recorded]) -> None:
        [addon] = [each for each in resources if each.name == "node-addons-vpc-cni-addon"]
        configuration = json.loads(addon.inputs["configurationValues"])
        configuration["eniConfig"]["subnets"]["a"]["securityGroups"] = [group]
        changed(resources, addon.name, configurationValues=json.dumps(configuration))

    return plant


def named(template: str, group: str) -> Plant:
    return given(template, vpcSecurityGroupIds=[group])


NO_NAT = without(*(f"network-private-{zone}-nat" for zone in "abc"))
# (what is planted into prod, a part of the way that it closes, a part of what is said to be missing)
HOLES: dict[str, tuple[Plant, str, str]] = {
    "no return route": (
        without("network-to-corporate-to-vpn"),
        "vpn (10.200.0.0/16) reaches the Kubernetes API",
        f"{INTRA}, the table of network-intra-a, has no route back to 10.200.0.0/16",
    ),
    "return route of another range": (
        given("network-to-corporate-to-vpn", destinationCidrBlock="10.200.0.0/17"),
        "reaches the Kubernetes API",
        "has no route back to 10.200.0.0/16",
    ),
    "return route in another table": (
        given("network-to-corporate-to-vpn", routeTableId=f"{TABLE}-id"),
        "reaches the Kubernetes API",
        f"{INTRA}, the table of network-intra-c, has no route back",
    ),
    "route without attachment": (
        without("network-to-corporate-attachment"),
        "reaches the Kubernetes API",
        "routes 10.200.0.0/16 to tgw-0123456789abcdef0, which the VPC is not attached to",
    ),
    "attachment that lacks a zone": (
        given("network-to-corporate-attachment", subnetIds=["network-intra-a-id", "network-intra-b-id"]),
        "reaches the Kubernetes API",
        "has no subnet in us-east-1c, where network-intra-c is",
    ),
    "rule of the API on the wrong port": (
        given("cluster-from-vpn", fromPort=6443, toPort=6443),
        "reaches the Kubernetes API",
        "lets 10.200.0.0/16 in on TCP 443",
    ),
    "no rule of the API": (
        without("cluster-from-vpn"),
        "reaches the Kubernetes API",
        "none of its security groups (the cluster's own security group and cluster-callers) lets 10.200.0.0/16 in",
    ),
    "rule in another group": (
        given("cluster-from-vpn", securityGroupId=f"{ENDPOINTS}-id"),
        "reaches the Kubernetes API",
        "lets 10.200.0.0/16 in on TCP 443",
    ),
    "API's subnet in no table": (
        without("network-intra-b-association"),
        "reaches the Kubernetes API",
        "network-intra-b is associated with no route table",
    ),
    "endpoint's group lets nobody in": (
        without("network-endpoints-from-vpc"),
        "nodes of nodes-general-group reach ecr.api",
        f"{ENDPOINTS} of endpoint network-endpoints-ecr-api lets network-private-a (10.30.0.0/20) not in on TCP 443",
    ),
    "endpoint's group lets no pods in": (
        without("network-endpoints-from-pods"),
        "pods in us-east-1a reach secretsmanager",
        "lets network-pods-a (100.64.0.0/19) not in on TCP 443",
    ),
    "endpoint's rule on the wrong port": (
        given("network-endpoints-from-vpc", fromPort=80, toPort=80),
        "nodes of nodes-l4-group reach sts",
        "not in on TCP 443",
    ),
    "missing endpoint, no NAT": (
        both(NO_NAT, without("network-endpoints-eks-auth")),
        "nodes of nodes-general-group reach eks-auth",
        "there is no interface endpoint of eks-auth with private DNS, and network-private-a-routes, the table of "
        "network-private-a, has no route to a NAT gateway",
    ),
    "endpoint without private DNS, no NAT": (
        both(NO_NAT, given("network-endpoints-sts", privateDnsEnabled=False)),
        "nodes of nodes-general-group reach sts",
        "there is no interface endpoint of sts with private DNS",
    ),
    "endpoint in no subnet": (
        given("network-endpoints-ec2", subnetIds=[]),
        "reach ec2",
        "endpoint network-endpoints-ec2 is in no subnet",
    ),
    "NAT missing": (
        without("network-private-b-nat"),
        "pods in us-east-1b reach autoscaling",
        "network-private-b-routes, the table of network-private-b, has no route to a NAT gateway",
    ),
    "NAT in a private subnet": (
        given("network-nat-a", subnetId="network-private-a-id"),
        "pods in us-east-1a reach autoscaling",
        "network-private-a, where network-nat-a-id is, has no route to an internet gateway",
    ),
    "NAT's subnet in the wrong table": (
        given("network-public-a-association", routeTableId=f"{INTRA}-id"),
        "pods in us-east-1a reach autoscaling",
        "network-public-a, where network-nat-a-id is, has no route to an internet gateway",
    ),
    "nodes behind the internet gateway": (
        given("network-private-a-association", routeTableId="network-public-routes-id"),
        "pods in us-east-1a reach autoscaling",
        "leads to the internet, and nodes have no public address",
    ),
    "nodes' subnet in the wrong table": (
        given("network-private-c-association", routeTableId=f"{INTRA}-id"),
        "pods in us-east-1c reach autoscaling",
        f"{INTRA}, the table of network-private-c, has no route to a NAT gateway",
    ),
    "S3's endpoint forgets a table": (
        given("network-endpoints-s3", routeTableIds=[f"{INTRA}-id", f"{TABLE}-id"]),
        "pods in us-east-1b reach s3",
        "endpoint network-endpoints-s3 has no route in network-private-b-routes, the table of network-pods-b",
    ),
    "no endpoint of S3": (
        without("network-endpoints-s3"),
        "nodes of nodes-general-group reach s3",
        "there is no gateway endpoint of s3, where layers of images come from",
    ),
    "database does not let MLflow in": (
        without("platform-mlflow-pods-into-database"),
        "mlflow's pods in us-east-1a reach the database",
        "database-clients lets no TCP 5432 in from platform-mlflow-pods-group",
    ),
    "database's rule on the wrong port": (
        given("platform-mlflow-pods-into-database", fromPort=3306, toPort=3306),
        "reach the database",
        "lets no TCP 5432 in",
    ),
    "database lets another group in": (
        given("platform-mlflow-pods-into-database", referencedSecurityGroupId=OWN_GROUP),
        "reach the database",
        "lets no TCP 5432 in from platform-mlflow-pods-group",
    ),
    "MLflow's group lets nothing out to the database": (
        without("platform-mlflow-pods-to-database"),
        "mlflow's pods in us-east-1b reach the database",
        "platform-mlflow-pods-group lets no TCP 5432 out to the database",
    ),
    "MLflow's group lets no clients in": (
        without("platform-mlflow-pods-from-cluster"),
        "pods in us-east-1a reach mlflow's pods in us-east-1b",
        "platform-mlflow-pods-group lets no TCP 5000 in",
    ),
    "CoreDNS does not let MLflow in": (
        without("platform-mlflow-pods-into-names-udp"),
        "mlflow's pods in us-east-1a reach DNS among",
        "the cluster's own security group lets no UDP 53 in from platform-mlflow-pods-group",
    ),
    "MLflow's group lets nothing out to endpoints": (
        given("platform-mlflow-pods-to-aws", cidrIpv4="10.31.0.0/16"),
        "mlflow's pods in us-east-1a reach secretsmanager",
        "platform-mlflow-pods-group lets no TCP 443 out to endpoint network-endpoints-secretsmanager",
    ),
    "pods outside the cluster's group": (
        pods_in_group("cluster-callers-id"),
        "pods in us-east-1a reach DNS among pods in us-east-1b",
        "cluster-callers lets no UDP 53 out",
    ),
    "nodes outside the cluster's group": (
        named("nodes-l4-template", f"{ENDPOINTS}-id"),
        "the Kubernetes API reach nodes of nodes-l4-group",
        f"{ENDPOINTS} lets no TCP 10250 in",
    ),
    "zone without ENIConfig": (
        without_eni_config("c"),
        "pods on nodes of nodes-general-group get an address",
        "the VPC CNI has no ENIConfig for us-east-1c",
    ),
    "VPC that resolves no names": (
        given("network-vpc", enableDnsHostnames=False),
        "private endpoints",
        "enableDnsSupport or enableDnsHostnames switched off",
    ),
}
