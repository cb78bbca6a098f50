"""EKS: the values that CreateNodegroup and its updates accept.

https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html
https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
"""

import re
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.images import Image
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER, ClusterRecord
from mlp_sandbox.emulator.services.registry import Call, Result

_LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?")
_RESERVED_LABELS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
_EFFECTS = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
_MOST = 50
_SIZES = ("minSize", "maxSize", "desiredSize")
_DEVICES = {"nvidia": "GpuInfo", "neuron": "NeuronInfo"}
# Fields that EKS sets itself and therefore rejects in a launch template.
_NOT_IN_TEMPLATES = ("IamInstanceProfile", "InstanceInitiatedShutdownBehavior", "HibernationOptions")


def invalid(message: str) -> Fault:
    """Return an InvalidParameterException."""
    return Fault(INVALID_PARAMETER, message)


def check_scaling(config: Result) -> Result:
    """Check that 0 <= minSize <= desiredSize <= maxSize and maxSize >= 1, and return the sizes."""
    low, high, size = (int(config[name]) for name in _SIZES)
    if low < 0 or high < 1:
        raise invalid(f"scalingConfig: minSize {low} must be 0 or more, maxSize {high} must be 1 or more")
    if low > high:
        raise invalid(f"Minimum capacity {low} can't be greater than maximum capacity {high}")
    if size < low:
        raise invalid(f"Minimum capacity {low} can't be greater than desired size {size}")
    if size > high:
        raise invalid(f"desired capacity {size} can't be greater than max size {high}")
    return {name: int(config[name]) for name in _SIZES}


def check_update_config(config: Result) -> Result:
    """Check that at most one of number and percentage is set, and return the configuration with its default."""
    number, percentage = config.get("maxUnavailable"), config.get("maxUnavailablePercentage")
    if number is not None and percentage is not None:
        raise invalid("updateConfig: maxUnavailable and maxUnavailablePercentage cannot be given together")
    if number is not None and not 1 <= number <= 100:
        raise invalid(f"updateConfig: maxUnavailable {number} must be 1 to 100")
    if percentage is not None and not 1 <= percentage <= 100:
        raise invalid(f"updateConfig: maxUnavailablePercentage {percentage} must be 1 to 100")
    kept = {name: value for name, value in config.items() if value is not None}
    return kept if number is not None or percentage is not None else {"maxUnavailable": 1, **kept}


def check_labels(labels: dict[str, str]) -> None:
    """Check that labels have Kubernetes syntax and no prefix reserved by EKS or Kubernetes."""
    if len(labels) > _MOST:
        raise invalid(f"A node group has {_MOST} labels at most; {len(labels)} were given")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise invalid(f"The label {key}={value} is not a valid Kubernetes label")
        domain = key.partition("/")[0] + "/" if "/" in key else ""
        if any(domain == reserved or domain.endswith("." + reserved) for reserved in _RESERVED_LABELS):
            raise invalid(f"Label cannot contain reserved prefixes [{', '.join(_RESERVED_LABELS)}]: {key}")


def check_taints(taints: list[Result]) -> None:
    """Check the syntax of taints and that each key with an effect occurs once. Effects have EKS's spelling."""
    if len(taints) > _MOST:
        raise invalid(f"A node group has {_MOST} taints at most; {len(taints)} were given")
    seen: set[tuple[str, str]] = set()
    for taint in taints:
        key, effect = taint.get("key") or "", taint.get("effect") or ""
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(taint.get("value") or ""):
            raise invalid(f"The taint {key}={taint.get('value')} is not a valid Kubernetes taint")
        if effect not in _EFFECTS:
            raise invalid(f"The effect {effect} of taint {key} is not valid; EKS spells effects {', '.join(_EFFECTS)}")
        if (key, effect) in seen:
            raise invalid(f"The taint {key} with effect {effect} is given twice")
        seen.add((key, effect))


def check_subnets(call: Call, cluster: ClusterRecord, ids: list[str]) -> None:
    """Check that the subnets belong to the cluster's VPC."""
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    known = {subnet.id: subnet for zone in backend.subnets.values() for subnet in zone.values()}
    vpc = cluster.description["resourcesVpcConfig"]["vpcId"]
    if not ids:
        raise invalid("subnets: give at least one subnet of the cluster's VPC")
    for id in ids:
        if id not in known:
            raise invalid(f"The subnet ID '{id}' does not exist")
        if known[id].vpc_id != vpc:
            raise invalid(f"Subnet {id} is not in VPC {vpc} of cluster {cluster.name}")


def check_instance_types(types: list[str], ami_type: str, image: Image | None) -> None:
    """Check that the instance types exist and fit the image's architecture and accelerator."""
    for name in types:
        details: Any = INSTANCE_TYPES.get(name)
        if details is None:
            raise invalid(f"The following supplied instance types do not exist: [{name}]")
        if image is None:
            continue
        fits = image.architecture in details["ProcessorInfo"]["SupportedArchitectures"]
        if not fits or (image.accelerator and _DEVICES[image.accelerator] not in details):
            raise invalid(f"[{name}] is not a valid instance type for requested amiType {ami_type}")


def launch_template(call: Call, sent: Result) -> tuple[Result, Any]:
    """Return the template as DescribeNodegroup names it, and the selected version."""
    if bool(sent.get("id")) == bool(sent.get("name")):
        raise invalid("launchTemplate: give either id or name")
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    try:
        by_id = sent.get("id")
        template = backend.get_launch_template(by_id) if by_id else backend.get_launch_template_by_name(sent["name"])
        version = template.get_version(sent.get("version") or "$Default")
    except (EC2ClientError, Fault) as error:
        raise invalid(f"Launch template {sent.get('id') or sent.get('name')} is not valid: {error}") from error
    _check_template(version.data)
    groups = [group for nic in version.data.get("NetworkInterfaces") or [] for group in nic.get("Groups") or []]
    for group in [*(version.data.get("SecurityGroupIds") or []), *groups]:
        if backend.get_security_group_from_id(group) is None:
            raise invalid(f"The security group {group} of the launch template does not exist")
    return {"id": template.id, "name": template.name, "version": str(version.number)}, version


def _check_template(data: Result) -> None:
    for name in _NOT_IN_TEMPLATES:
        if data.get(name):
            raise invalid(f"Launch template should not specify {name}.")
    for interface in data.get("NetworkInterfaces") or []:
        if interface.get("SubnetId"):
            raise invalid("Launch template should not specify SubnetId in its network interfaces; subnets go here")
    market = (data.get("InstanceMarketOptions") or {}).get("MarketType")
    if market == "spot":
        raise invalid("Launch template should not request spot instances; use capacityType SPOT")


def check_capacity(capacity: str, data: Result | None, types: list[str]) -> None:
    """Check that a capacity block has a launch template that names it, and one instance type.

    https://docs.aws.amazon.com/eks/latest/userguide/capacity-blocks-mng.html
    """
    if capacity != "CAPACITY_BLOCK":
        return
    data = data or {}
    target = (data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    if (data.get("InstanceMarketOptions") or {}).get("MarketType") != "capacity-block":
        raise invalid("capacityType CAPACITY_BLOCK needs a launch template with the market type capacity-block")
    if not target:
        raise invalid("capacityType CAPACITY_BLOCK needs a launch template that names its capacity reservation")
    if len(types) > 1:
        raise invalid(f"capacityType CAPACITY_BLOCK takes one instance type; {', '.join(types)} were given")
