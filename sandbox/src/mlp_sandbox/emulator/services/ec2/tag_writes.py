"""Tags of EC2 resources that moto lacks: placement groups and capacity reservations."""

from typing import Any

from moto.ec2.models import ec2_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

# Prefix of the id -> the kind under which the resource is stored, and the member that holds the id.
_OWN = {"cr": ("capacity-reservations", "CapacityReservationId"), "pg": ("placement-groups", "GroupId")}


@extends("ec2", "CreateTags", "DeleteTags")
def change(call: Call) -> Result:
    """Change tags. moto handles its own resources. All resources must exist."""
    ids = list(call.params.get("Resources") or [])
    own = [id for id in ids if id.partition("-")[0] in _OWN]
    for id in own:
        kind, member = _OWN[id.partition("-")[0]]
        if id not in {item[member] for item in call.remembered(kind).values()}:
            raise Fault("InvalidID", f"The ID '{id}' is not valid")
    others = {f"ResourceId.{number}": id for number, id in enumerate((id for id in ids if id not in own), start=1)}
    sent = [name for name in call.request.form if name.startswith("ResourceId.")]
    result = call.proceed(call.altered(without=sent, **others)) if others or not own else {}
    tags = {tag["Key"]: tag.get("Value") for tag in call.params.get("Tags") or []}
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    if call.identity.operation == "CreateTags" and own:
        backend.create_tags(own, {key: value or "" for key, value in tags.items()})
    elif own:
        for id in own:
            known = backend.tags[id]
            for key in [key for key in known if not tags or (key in tags and tags[key] in (None, known[key]))]:
                del known[key]
    return result
