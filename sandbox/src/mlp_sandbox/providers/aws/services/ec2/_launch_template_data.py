"""Launch template data: conversion between Pulumi's properties and the EC2 API's structure.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlp_sandbox.providers.aws.resource import Props
from mlp_sandbox.providers.aws.services._common import from_pairs, from_shape, to_pairs, to_shape

# Property: name in the API where it is not the same in PascalCase.
TOP = {
    "securityGroupNames": "SecurityGroups",
    "vpcSecurityGroupIds": "SecurityGroupIds",
}
NESTED = {
    "enableResourceNameDnsAaaaRecord": "EnableResourceNameDnsAAAARecord",
    "ipv4AddressCount": "SecondaryPrivateIpAddressCount",
    "securityGroups": "Groups",
}
# Properties of a network interface: lists of texts here, lists of structures with one member in the API.
WRAPPED = {
    "ipv4Addresses": ("PrivateIpAddresses", "PrivateIpAddress"),
    "ipv4Prefixes": ("Ipv4Prefixes", "Ipv4Prefix"),
    "ipv6Addresses": ("Ipv6Addresses", "Ipv6Address"),
    "ipv6Prefixes": ("Ipv6Prefixes", "Ipv6Prefix"),
}
# Switches that upstream writes as text, to distinguish a missing value from false.
TEXT_SWITCHES = frozenset(
    {
        *("associateCarrierIpAddress", "associatePublicIpAddress", "deleteOnTermination", "ebsOptimized", "encrypted"),
        "primaryIpv6",
    }
)
DATA = (
    *("blockDeviceMappings", "capacityReservationSpecification", "cpuOptions", "creditSpecification"),
    *("disableApiStop", "disableApiTermination", "ebsOptimized", "enclaveOptions", "hibernationOptions"),
    *("iamInstanceProfile", "imageId", "instanceInitiatedShutdownBehavior", "instanceMarketOptions", "instanceType"),
    *("kernelId", "keyName", "licenseSpecifications", "maintenanceOptions", "metadataOptions", "monitoring"),
    *("networkInterfaces", "networkPerformanceOptions", "placement", "privateDnsNameOptions", "ramDiskId"),
    *("securityGroupNames", "tagSpecifications", "userData", "vpcSecurityGroupIds"),
)


def to_data(inputs: Props) -> dict[str, Any]:
    """Return the inputs that a version contains, as the API's structure."""
    data = {name: _sent(inputs[name], name) for name in DATA if inputs.get(name) not in (None, "", [], {})}
    data["tagSpecifications"] = [
        {**spec, "tags": to_pairs(spec.get("tags"), "key", "value")} for spec in inputs.get("tagSpecifications") or []
    ]
    interfaces = [_interface(item) for item in data.get("networkInterfaces", [])]
    shaped = to_shape({**data, "networkInterfaces": []}, {**NESTED, **TOP})
    shaped["NetworkInterfaces"] = interfaces
    # EC2 rejects a version without any field.
    return {name: value for name, value in shaped.items() if value != []} or {"UserData": ""}


def from_data(data: Mapping[str, Any]) -> Props:
    """Return a version's data as properties, without those that are not set."""
    shaped = {name: value for name, value in data.items() if name not in ("NetworkInterfaces", "TagSpecifications")}
    props: Props = _told(from_shape(shaped, {**NESTED, **TOP}))
    props["networkInterfaces"] = [_told(_flat(item)) for item in data.get("NetworkInterfaces", [])]
    props["tagSpecifications"] = [
        {"resourceType": spec["ResourceType"], "tags": from_pairs(spec.get("Tags"))}
        for spec in data.get("TagSpecifications", [])
    ]
    return {name: value for name, value in props.items() if name in DATA and value not in (None, "", [], {})}


def _interface(item: Props) -> dict[str, Any]:
    plain: dict[str, Any] = to_shape({name: value for name, value in item.items() if name not in WRAPPED}, NESTED)
    for name, (shape, member) in WRAPPED.items():
        if item.get(name):
            plain[shape] = [{member: text} for text in item[name]]
    if plain.get("PrivateIpAddresses"):
        plain["PrivateIpAddresses"] = [
            {**address, "Primary": index == 0} for index, address in enumerate(plain["PrivateIpAddresses"])
        ]
    return plain


def _flat(item: Mapping[str, Any]) -> Props:
    wrapped = {shape: (name, member) for name, (shape, member) in WRAPPED.items()}
    props: Props = from_shape({name: value for name, value in item.items() if name not in wrapped}, NESTED)
    for shape, (name, member) in wrapped.items():
        if item.get(shape):
            props[name] = [structure[member] for structure in item[shape]]
    return props


def _sent(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        items = {key: _sent(item, key) for key, item in value.items()}
        return {key: item for key, item in items.items() if item not in (None, "")}
    if isinstance(value, list):
        return [_sent(item) for item in value]
    return str(value).lower() == "true" if name in TEXT_SWITCHES and value not in (None, "") else value


def _told(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _told(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_told(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if name in TEXT_SWITCHES and isinstance(value, bool) else value
