"""Auto Scaling: requests that AWS rejects and moto accepts, or fails on.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html
"""

from typing import Any

from moto.autoscaling.models import autoscaling_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_INVALID = "ValidationError"


def _groups(call: Call) -> dict[str, Any]:
    groups: Any = autoscaling_backends[call.identity.account][call.identity.region].autoscaling_groups
    return groups


def _group(call: Call) -> Any:
    name = str(call.params["AutoScalingGroupName"])
    if name not in _groups(call):
        raise Fault(_INVALID, f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return _groups(call)[name]


@extends("autoscaling", "DescribeAutoScalingGroups")
def describe(call: Call) -> Result:
    """Describe the groups. For a group with a mixed instances policy, only the policy names the launch template."""
    result = call.proceed()
    for group in result["AutoScalingGroups"]:
        if group.get("MixedInstancesPolicy"):
            group.pop("LaunchTemplate", None)
    return result


@extends("autoscaling", "SetDesiredCapacity")
def set_desired_capacity(call: Call) -> Result:
    """Set the desired capacity, within the group's bounds only."""
    group, wanted = _group(call), int(call.params["DesiredCapacity"])
    if wanted > int(group.max_size):
        text = f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} for the AutoScalingGroup."
        raise Fault(_INVALID, text)
    if wanted < int(group.min_size):
        text = f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} for the AutoScalingGroup."
        raise Fault(_INVALID, text)
    return call.proceed()


@extends("autoscaling", "UpdateAutoScalingGroup")
def update(call: Call) -> Result:
    """Update a group. Its desired capacity follows new bounds; if the request sets it, it must lie within them."""
    group, params = _group(call), call.params
    low = int(params["MinSize"] if params.get("MinSize") is not None else group.min_size)
    high = int(params["MaxSize"] if params.get("MaxSize") is not None else group.max_size)
    if low > high:
        raise Fault(_INVALID, f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    wanted = params.get("DesiredCapacity")
    if wanted is not None and not low <= int(wanted) <= high:
        raise Fault(
            _INVALID, f"Desired capacity:{wanted} must be between the specified min size:{low} and max size:{high}"
        )
    return call.proceed()


@extends("autoscaling", "TerminateInstanceInAutoScalingGroup")
def terminate(call: Call) -> Result:
    """Terminate an instance of a group, unless the group would fall below its minimum size."""
    id, shrinks = str(call.params["InstanceId"]), bool(call.params.get("ShouldDecrementDesiredCapacity"))
    for group in _groups(call).values():
        if any(state.instance.id == id for state in group.instance_states):
            if shrinks and int(group.desired_capacity) <= int(group.min_size):
                raise Fault(
                    _INVALID,
                    f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without "
                    "replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity "
                    "flag to false or lower group's min size.",
                )
            return call.proceed()
    raise Fault(_INVALID, f"Instance Id not found - No managed instance found for instance ID {id}")
