"""Rules across sections of the settings. Each rule yields problems; all run once every section is valid."""

import ipaddress
from collections.abc import Iterator

from components.eks.spec import pool_path
from components.images.sources import MLFLOW_REPOSITORY, RUNTIME_REPOSITORY
from components.network.endpoint_services import PRIVATE_NODE_SERVICES
from components.network.subnets import usable_addresses
from stacks.settings.sections import PlatformSections
from validation.base import Problem

EVERYBODY = "0.0.0.0/0"
PREFIX = 16
RESERVED_SECRETS = ("mlflow/", "projects/")


def problems(settings: PlatformSections) -> Iterator[Problem]:
    yield from zones_are_in_the_region(settings)
    yield from nodes_have_addresses(settings)
    yield from pods_have_addresses(settings)
    yield from pools_are_in_the_zones(settings)
    yield from private_nodes_reach_aws(settings)
    yield from api_is_not_open_to_everybody(settings)
    yield from somebody_reaches_the_api(settings)
    yield from callers_have_a_way_and_a_way_back(settings)
    yield from a_protected_environment_keeps_its_data(settings)
    yield from a_protected_environment_is_deployed_after_a_review(settings)
    yield from production_is_built_to_last(settings)
    yield from the_platform_finds_its_own_names(settings)


def zones_are_in_the_region(settings: PlatformSections) -> Iterator[Problem]:
    for position, zone in enumerate(settings.network.zones):
        if zone[:-1] != settings.region:
            fix = f"name a zone of region {settings.region}, such as {settings.region}a"
            yield Problem(field=f"network.zones.{position}", value=zone, fix=fix)


def nodes_have_addresses(settings: PlatformSections) -> Iterator[Problem]:
    """Check that the private subnets have enough addresses for nodes and interface endpoints.

    There is one private subnet per zone. AWS reserves five addresses of each:
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    network = settings.network
    plan = network.plan()
    endpoints = len(network.interface_endpoints)
    available = sum(usable_addresses(zone.private) - endpoints for zone in plan)
    if available < settings.cluster.max_nodes:
        fix = (
            f"choose a larger range or smaller pools, its private subnets in {len(plan)} zones have {available} "
            f"addresses for {settings.cluster.max_nodes} nodes"
        )
        yield Problem(field="network.cidr", value=network.cidr, fix=fix)


def pods_have_addresses(settings: PlatformSections) -> Iterator[Problem]:
    """Check that the pod subnets have enough addresses for all nodes.

    A node takes prefixes of 16 addresses from the pod subnet of its zone, and keeps one prefix in reserve.
    https://docs.aws.amazon.com/eks/latest/best-practices/prefix-mode-linux.html
    """
    network, cluster = settings.network, settings.cluster
    prefixes = -(-cluster.pods_per_node // PREFIX) + 1
    plan = network.plan()
    available = sum(usable_addresses(zone.pods) for zone in plan) // (prefixes * PREFIX)
    if available < cluster.max_nodes:
        fix = (
            f"choose a larger range, smaller pools or fewer cluster.pods_per_node: with {cluster.pods_per_node} pods "
            f"each its subnets in {len(plan)} zones suffice for {available} of {cluster.max_nodes} nodes"
        )
        yield Problem(field="network.pod_cidr", value=network.pod_cidr, fix=fix)


def pools_are_in_the_zones(settings: PlatformSections) -> Iterator[Problem]:
    for name, pool in settings.cluster.pools.items():
        for position, zone in enumerate(pool.zones):
            if zone not in settings.network.zones:
                fix = f"name zones of network.zones: {', '.join(settings.network.zones)}"
                yield Problem(field=f"cluster.{pool_path(name)}.zones.{position}", value=zone, fix=fix)


def private_nodes_reach_aws(settings: PlatformSections) -> Iterator[Problem]:
    missing = [name for name in PRIVATE_NODE_SERVICES if name not in settings.network.interface_endpoints]
    if settings.network.nat == "none" and missing:
        fix = f"without NAT nodes cannot join the cluster, add {', '.join(missing)}"
        yield Problem(field="network.interface_endpoints", value=settings.network.interface_endpoints, fix=fix)


def api_is_not_open_to_everybody(settings: PlatformSections) -> Iterator[Problem]:
    if settings.environment != "dev" and EVERYBODY in settings.cluster.api_cidrs:
        fix = f"list the ranges of your offices and VPN, {settings.environment} is not open to everybody"
        yield Problem(field="cluster.api_cidrs", value=settings.cluster.api_cidrs, fix=fix)


def somebody_reaches_the_api(settings: PlatformSections) -> Iterator[Problem]:
    """Check that somebody outside the VPC can reach the Kubernetes API.

    A deployment creates the cluster's objects through the API. The first deployment runs outside the VPC.
    """
    cluster = settings.cluster
    if not cluster.public_access and not cluster.private_cidrs:
        fix = (
            "name a range of network.connections that people and CI call from, or set cluster.public_access: true "
            "and cluster.api_cidrs; as it is nobody outside the VPC reaches the Kubernetes API, and a deployment ends "
            "half-way"
        )
        yield Problem(field="cluster.private_cidrs", value=(), fix=fix)


def callers_have_a_way_and_a_way_back(settings: PlatformSections) -> Iterator[Problem]:
    """Check that a connection covers each range of `private_cidrs`.

    A security group rule creates no route, and without a route the API's answers are lost.
    """
    ways = [
        ipaddress.IPv4Network(cidr)
        for connection in settings.network.connections.values()
        for cidr in connection.cidrs.values()
    ]
    for name, cidr in settings.cluster.private_cidrs.items():
        if not any(ipaddress.IPv4Network(cidr).subnet_of(way) for way in ways):
            fix = (
                "add the range to network.connections.<name>.cidrs, beside the id of the transit gateway or peering "
                "connection that leads there: no route does"
            )
            yield Problem(field=f"cluster.private_cidrs.{name}", value=cidr, fix=fix)


def a_protected_environment_keeps_its_data(settings: PlatformSections) -> Iterator[Problem]:
    """Check that no other switch undoes the protection of data. In production the switches must be off in any case."""
    if not settings.protect and settings.environment != "prod":
        return
    switches = {
        "buckets.force_destroy": settings.buckets.force_destroy,
        "registry.force_delete": settings.registry.force_delete,
        "database.skip_final_snapshot": settings.database.skip_final_snapshot,
    }
    for field, loses_data in switches.items():
        if loses_data:
            yield Problem(field=field, value=True, fix="write false, a protected environment keeps its data")


def a_protected_environment_is_deployed_after_a_review(settings: PlatformSections) -> Iterator[Problem]:
    """Check that a protected environment has reviewers.

    Only a GitHub environment has them; anybody who may merge a branch can otherwise deploy.
    """
    branches = settings.identities.protected_branches
    if settings.protect and branches:
        fix = "remove it and name github_environments, a protected environment is deployed after its reviewers agreed"
        yield Problem(field="identities.protected_branches", value=branches, fix=fix)


def production_is_built_to_last(settings: PlatformSections) -> Iterator[Problem]:
    if settings.environment != "prod":
        return
    network, database = settings.network, settings.database
    if not settings.protect:
        yield Problem(field="protect", value=False, fix="write true, prod must not be deleted by accident")
    if not database.multi_az:
        yield Problem(field="database.multi_az", value=False, fix="write true, prod must survive the loss of a zone")
    if not database.deletion_protection:
        yield Problem(field="database.deletion_protection", value=False, fix="write true, prod keeps its database")
    if not settings.cluster.deletion_protection:
        fix = "write true, prod keeps its cluster"
        yield Problem(field="cluster.deletion_protection", value=False, fix=fix)
    if network.nat != "per_zone":
        yield Problem(
            field="network.nat", value=network.nat, fix="write per_zone, prod must survive the loss of a zone"
        )
    if settings.secrets.recovery_window_days == 0:
        fix = "write 7 to 30, prod must be able to take a deletion back"
        yield Problem(field="secrets.recovery_window_days", value=0, fix=fix)


def the_platform_finds_its_own_names(settings: PlatformSections) -> Iterator[Problem]:
    kept = {MLFLOW_REPOSITORY: "MLflow's server", RUNTIME_REPOSITORY: "training runs' conductors"}
    for repository, what in kept.items():
        if repository not in settings.registry.repositories:
            fix = f"add {repository}, where the image of {what} is kept"
            yield Problem(field="registry.repositories", value=settings.registry.repositories, fix=fix)
    for position, name in enumerate(settings.secrets.names):
        if name.startswith(RESERVED_SECRETS):
            fix = f"choose another name: the platform makes those below {' and '.join(RESERVED_SECRETS)} itself"
            yield Problem(field=f"secrets.names.{position}", value=name, fix=fix)
