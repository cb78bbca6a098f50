"""EKS: the values that CreateCluster accepts, and its defaults.

https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
"""

import ipaddress
import re
from typing import Any

from moto.ec2.models import ec2_backends
from moto.kms.models import kms_backends

from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.faults import NOT_IMPLEMENTED, Fault
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER
from mlp_sandbox.emulator.services.eks.roles import trusts
from mlp_sandbox.emulator.services.registry import Call, Result

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9\-_]{0,99}")
_PRIVATE_RANGES = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
)
_SERVICE_RANGES = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
# Only the first of these two can overlap a VPC in 10.0.0.0/8.
_DEFAULT_SERVICES, _DEFAULT_SERVICES_BESIDE_10 = "10.100.0.0/16", "172.20.0.0/16"
_MISSING = {
    "computeConfig": "EKS Auto Mode; use managed node groups",
    "storageConfig": "EKS Auto Mode; use managed node groups",
    "outpostConfig": "clusters on Outposts; remove this field",
    "remoteNetworkConfig": "hybrid nodes; remove this field",
    "controlPlaneScalingConfig": "provisioned control planes; remove this field",
    "kubeApiServerConfig": "settings of the control plane; remove this field",
    "kubeControllerManagerConfig": "settings of the control plane; remove this field",
    "kubeSchedulerConfig": "settings of the control plane; remove this field",
}


def refuse_missing(params: Result) -> None:
    """Reject a request for a part of EKS that is not emulated.

    Raises:
        Fault: NotImplemented; the message names the part.
    """
    for name, what in _MISSING.items():
        wanted = params.get(name)
        if wanted and wanted.get("enabled", (wanted.get("blockStorage") or {}).get("enabled", True)):
            raise Fault(NOT_IMPLEMENTED, f"eks: {name}: the local AWS account does not emulate {what}", 501)


def check_name(name: str) -> None:
    """Reject a name other than a letter or digit followed by letters, digits, hyphens and underscores."""
    if not _NAME.fullmatch(name):
        raise Fault(
            INVALID_PARAMETER,
            f"The name {name!r} is invalid: it must begin with a letter or digit, hold letters, digits, hyphens and "
            "underscores only, and be at most 100 characters long",
        )


def check_cluster_role(arn: str, cluster_arn: str) -> None:
    """Check that the role exists and trusts eks.amazonaws.com, at least when it acts for this cluster.

    https://docs.aws.amazon.com/eks/latest/userguide/cross-service-confused-deputy-prevention.html
    """
    keys = {"aws:SourceArn": cluster_arn, "aws:SourceAccount": cluster_arn.split(":")[4]}
    if role_by_arn(arn) is None or not trusts(arn, "eks.amazonaws.com", ("sts:AssumeRole",), keys):
        raise Fault(
            INVALID_PARAMETER,
            f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not "
            "correct",
        )


def subnets_of(call: Call, ids: list[str]) -> list[Any]:
    """Return the subnets.

    Raises:
        Fault: InvalidParameterException: a subnet does not exist, or the subnets belong to several VPCs.
    """
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    known = {subnet.id: subnet for zone in backend.subnets.values() for subnet in zone.values()}
    for id in ids:
        if id not in known:
            raise Fault(INVALID_PARAMETER, f"The subnet ID '{id}' does not exist")
    subnets = [known[id] for id in ids]
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise Fault(INVALID_PARAMETER, "Subnets specified must be in the same VPC")
    return subnets


def vpc_config(call: Call, sent: Result) -> Result:
    """Return resourcesVpcConfig as DescribeCluster shows it, without the cluster's own security group."""
    ids = list(dict.fromkeys(sent.get("subnetIds") or []))
    if len(ids) < 2:
        raise Fault(INVALID_PARAMETER, "At least two subnets in different Availability Zones must be specified")
    subnets = subnets_of(call, ids)
    if len({subnet.availability_zone for subnet in subnets}) < 2:
        raise Fault(INVALID_PARAMETER, "Subnets specified must be in at least two different AZs")
    vpc = str(subnets[0].vpc_id)
    groups = list(sent.get("securityGroupIds") or [])
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    for group in groups:
        if group not in backend.groups.get(vpc, {}):
            raise Fault(INVALID_PARAMETER, f"The security group '{group}' does not exist in VPC {vpc}")
    return {"subnetIds": ids, "securityGroupIds": groups, "vpcId": vpc, **endpoint_access(sent, {})}


def endpoint_access(sent: Result, current: Result) -> Result:
    """Return the access to the API server as sent, else its current value, else AWS's default."""
    access = {
        name: sent[name] if sent.get(name) is not None else current.get(name, default)
        for name, default in (("endpointPublicAccess", True), ("endpointPrivateAccess", False))
    }
    if not any(access.values()):
        raise Fault(INVALID_PARAMETER, "Private and public endpoint access cannot be false")
    cidrs = list(sent.get("publicAccessCidrs") or current.get("publicAccessCidrs") or ["0.0.0.0/0"])
    for cidr in cidrs:
        try:
            network = ipaddress.ip_network(cidr)
        except ValueError as error:
            raise Fault(INVALID_PARAMETER, f"publicAccessCidrs: {error}") from None
        if any(network.version == 4 and network.subnet_of(private) for private in _PRIVATE_RANGES):  # type: ignore[arg-type]
            raise Fault(INVALID_PARAMETER, f"The following CIDRs are not allowed in publicAccessCidrs: [{cidr}]")
    return access | {"publicAccessCidrs": cidrs}


def network_config(call: Call, sent: Result, vpc_id: str) -> Result:
    """Return kubernetesNetworkConfig with the service range that EKS would choose."""
    if sent.get("ipFamily", "ipv4") != "ipv4":
        raise Fault(NOT_IMPLEMENTED, "eks: ipFamily ipv6 is not emulated by the local AWS account; use ipv4", 501)
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    ranges = [ipaddress.ip_network(item["cidr_block"]) for item in vpc_ranges(backend.vpcs[vpc_id])]
    beside = any(network.overlaps(_SERVICE_RANGES[0]) for network in ranges)
    cidr = sent.get("serviceIpv4Cidr") or (_DEFAULT_SERVICES_BESIDE_10 if beside else _DEFAULT_SERVICES)
    try:
        services = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise Fault(INVALID_PARAMETER, f"serviceIpv4Cidr: {error}") from None
    if not any(services.subnet_of(allowed) for allowed in _SERVICE_RANGES):  # type: ignore[arg-type]
        raise Fault(
            INVALID_PARAMETER, f"serviceIpv4Cidr {cidr} must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
        )
    if not 12 <= services.prefixlen <= 24:
        raise Fault(INVALID_PARAMETER, f"serviceIpv4Cidr {cidr} must be between /12 and /24 in size")
    for network in ranges:
        if network.overlaps(services):
            raise Fault(INVALID_PARAMETER, f"serviceIpv4Cidr {cidr} overlaps with the VPC's range {network}")
    balancing = {"enabled": False} | (sent.get("elasticLoadBalancing") or {})
    if balancing["enabled"]:
        raise Fault(NOT_IMPLEMENTED, "eks: elasticLoadBalancing (EKS Auto Mode) is not emulated", 501)
    return {"serviceIpv4Cidr": cidr, "ipFamily": "ipv4", "elasticLoadBalancing": balancing}


def vpc_ranges(vpc: Any) -> list[Result]:
    """Return the VPC's associated IPv4 ranges, the primary one first."""
    return [item for item in vpc.cidr_block_association_set if item["cidr_block_state"]["state"] == "associated"]


def logging_config(sent: Result, current: Result | None = None) -> Result:
    """Return every log type, the enabled ones first, as EKS shows them."""
    on = set(enabled_logs(current or {}))
    for setup in sent.get("clusterLogging") or []:
        types = set(setup.get("types") or [])
        on = on | types if setup.get("enabled") else on - types
    enabled = [name for name in LOG_TYPES if name in on]
    disabled = [name for name in LOG_TYPES if name not in on]
    setups = [{"types": types, "enabled": state} for types, state in ((enabled, True), (disabled, False)) if types]
    return {"clusterLogging": setups}


def enabled_logs(logging: Result) -> list[str]:
    """Return the enabled log types."""
    setups = logging.get("clusterLogging") or []
    return [name for setup in setups if setup.get("enabled") for name in setup.get("types") or []]


def encryption_config(call: Call, sent: list[Result]) -> list[Result]:
    """Check that the configuration encrypts secrets with one symmetric key that exists, and return it."""
    if len(sent) > 1:
        raise Fault(INVALID_PARAMETER, f"encryptionConfig takes one entry; {len(sent)} were given")
    for entry in sent:
        arn = str((entry.get("provider") or {}).get("keyArn") or "")
        resources = entry.get("resources")
        if resources != ["secrets"]:
            raise Fault(INVALID_PARAMETER, f"encryptionConfig.resources must be ['secrets'], not {resources}")
        keys: Any = kms_backends[call.identity.account][call.identity.region].keys
        if arn.rpartition("/")[2] not in keys:
            raise Fault(
                INVALID_PARAMETER, f"encryptionConfig: the key {arn!r} does not exist in this account and region"
            )
    return sent
