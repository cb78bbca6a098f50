"""On-demand capacity reservations, which moto lacks. Capacity is never short: reservations are records.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-reservations.html
"""

from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.moto_api._internal import mock_random

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_FILTERS = {
    "availability-zone": "AvailabilityZone",
    "end-date-type": "EndDateType",
    "instance-match-criteria": "InstanceMatchCriteria",
    "instance-platform": "InstancePlatform",
    "instance-type": "InstanceType",
    "owner-id": "OwnerId",
    "placement-group-arn": "PlacementGroupArn",
    "state": "State",
    "tenancy": "Tenancy",
}


@extends("ec2", "CreateCapacityReservation")
def create(call: Call) -> Result:
    """Create a reservation, which is active at once."""
    params = call.params
    count, zone = int(params["InstanceCount"]), params.get("AvailabilityZone")
    if params["InstanceType"] not in INSTANCE_TYPES:
        raise Fault("InvalidParameterValue", f"The instance type '{params['InstanceType']}' does not exist")
    if count < 1:
        raise Fault("InvalidParameterValue", f"InstanceCount {count} must be 1 or more")
    if not zone:
        raise Fault("MissingParameter", "AvailabilityZone: the local AWS account needs it by name")
    if zone not in {known.name for known in _backend(call).describe_availability_zones()}:
        raise Fault("InvalidParameterValue", f"The availability zone '{zone}' does not exist")
    _check_end(params)
    id, moment = f"cr-{mock_random.get_random_hex(17)}", datetime.now(UTC)
    region, account = call.identity.region, call.identity.account
    reservation: Result = {
        "CapacityReservationId": id,
        "OwnerId": account,
        "CapacityReservationArn": f"arn:{_backend(call).partition}:ec2:{region}:{account}:capacity-reservation/{id}",
        "InstanceType": params["InstanceType"],
        "InstancePlatform": params["InstancePlatform"],
        "AvailabilityZone": zone,
        "Tenancy": params.get("Tenancy") or "default",
        "TotalInstanceCount": count,
        "AvailableInstanceCount": count,
        "EbsOptimized": bool(params.get("EbsOptimized")),
        "EphemeralStorage": bool(params.get("EphemeralStorage")),
        "State": "active",
        "StartDate": moment,
        "CreateDate": moment,
        "EndDateType": params.get("EndDateType") or "unlimited",
        "InstanceMatchCriteria": params.get("InstanceMatchCriteria") or "open",
        "ReservationType": "default",
    }
    reservation |= {name: params[name] for name in ("EndDate", "PlacementGroupArn") if params.get(name)}
    _reservations(call)[id] = reservation
    for spec in params.get("TagSpecifications") or []:
        _backend(call).create_tags([id], {tag["Key"]: tag.get("Value", "") for tag in spec["Tags"]})
    return {"CapacityReservation": _shown(call, reservation)}


@extends("ec2", "DescribeCapacityReservations")
def describe(call: Call) -> Result:
    """Describe reservations by id or by EC2's filters."""
    params = call.params
    ids = params.get("CapacityReservationIds") or []
    found = [_shown(call, _find(call, id)) for id in ids or list(_reservations(call))]
    for condition in params.get("Filters") or []:
        found = [item for item in found if _matches(item, condition["Name"], condition.get("Values") or [])]
    return {"CapacityReservations": found}


@extends("ec2", "ModifyCapacityReservation")
def modify(call: Call) -> Result:
    """Change the size, the end or the match criteria of a reservation."""
    params, reservation = call.params, _active(call)
    count = params.get("InstanceCount")
    if count is not None:
        if count < 1:
            raise Fault("InvalidParameterValue", f"InstanceCount {count} must be 1 or more")
        reservation["TotalInstanceCount"] = reservation["AvailableInstanceCount"] = count
    _check_end(params)
    if params.get("EndDateType"):
        reservation["EndDateType"] = params["EndDateType"]
        reservation.pop("EndDate", None)
    if params.get("EndDate"):
        reservation |= {"EndDate": params["EndDate"], "EndDateType": "limited"}
    if params.get("InstanceMatchCriteria"):
        reservation["InstanceMatchCriteria"] = params["InstanceMatchCriteria"]
    return {"Return": True}


@extends("ec2", "CancelCapacityReservation")
def cancel(call: Call) -> Result:
    """Cancel a reservation. It stays listed as cancelled."""
    reservation = _active(call)
    reservation |= {"State": "cancelled", "AvailableInstanceCount": 0}
    return {"Return": True}


def _check_end(params: Result) -> None:
    kind, end = params.get("EndDateType"), params.get("EndDate")
    if (kind == "limited") and not end:
        raise Fault("MissingParameter", "EndDateType limited needs EndDate")
    if kind == "unlimited" and end:
        raise Fault("InvalidParameterCombination", "EndDateType unlimited takes no EndDate")


def _active(call: Call) -> Result:
    reservation = _find(call, str(call.params["CapacityReservationId"]))
    if reservation["State"] != "active":
        id = reservation["CapacityReservationId"]
        raise Fault("InvalidState", f"The capacity reservation '{id}' is {reservation['State']}")
    return reservation


def _find(call: Call, id: str) -> Result:
    if id not in _reservations(call):
        raise Fault("InvalidCapacityReservationId.NotFound", f"The capacity reservation '{id}' does not exist")
    found: Result = _reservations(call)[id]
    return found


def _shown(call: Call, reservation: Result) -> Result:
    tags = _backend(call).describe_tags(filters={"resource-id": [reservation["CapacityReservationId"]]})
    return reservation | {"Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]}


def _matches(reservation: Result, name: str, values: list[str]) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in reservation["Tags"]}
    if name in _FILTERS:
        return reservation.get(_FILTERS[name]) in values
    if name == "tag-key":
        return any(value in tags for value in values)
    if name.startswith("tag:"):
        return tags.get(name[4:]) in values
    raise Fault("InvalidParameterValue", f"The filter '{name}' is invalid")


def _reservations(call: Call) -> dict[str, Any]:
    return call.remembered("capacity-reservations")


def _backend(call: Call) -> Any:
    return ec2_backends[call.identity.account][call.identity.region]
