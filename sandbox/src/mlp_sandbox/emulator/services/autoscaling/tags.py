"""Auto Scaling: tags of a group that does not exist are rejected; moto fails on them."""

from typing import Any

from moto.autoscaling.models import autoscaling_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends("autoscaling", "CreateOrUpdateTags", "DeleteTags")
def change_tags(call: Call) -> Result:
    """Change tags. Every group that the tags name must exist."""
    groups: Any = autoscaling_backends[call.identity.account][call.identity.region].autoscaling_groups
    for tag in call.params.get("Tags") or []:
        name = tag.get("ResourceId")
        if name not in groups:
            raise Fault("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return call.proceed()
