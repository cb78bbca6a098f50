"""EKS: tags of every resource that has an ARN."""

from collections.abc import Iterator
from typing import Any

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.records import NOT_FOUND, check_tags, clusters_of
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends("eks", "TagResource")
def tag(call: Call) -> Result:
    """Set tags."""
    tags = _tags(call)
    check_tags(tags | call.params["tags"])
    tags.update(call.params["tags"])
    return {}


@extends("eks", "UntagResource")
def untag(call: Call) -> Result:
    """Remove tags."""
    tags = _tags(call)
    for key in call.params["tagKeys"]:
        tags.pop(key, None)
    return {}


@extends("eks", "ListTagsForResource")
def list_tags(call: Call) -> Result:
    """List all tags."""
    return {"tags": dict(_tags(call))}


def _tags(call: Call) -> dict[str, str]:
    arn = str(call.params["resourceArn"])
    for known, holder in _tagged(call):
        if known == arn:
            tags: dict[str, str] = holder.tags if hasattr(holder, "tags") else holder["tags"]
            return tags
    raise Fault(NOT_FOUND, f"Resource was not found: {arn}", 404)


def _tagged(call: Call) -> Iterator[tuple[str, Any]]:
    for cluster in clusters_of(call).values():
        yield cluster.arn, cluster.description
        yield from ((group.description["nodegroupArn"], group.description) for group in cluster.node_groups.values())
        yield from ((addon["addonArn"], addon) for addon in cluster.addons.values())
        yield from ((e.description["accessEntryArn"], e.description) for e in cluster.access_entries.values())
        yield from ((item["associationArn"], item) for item in cluster.associations.values())
        yield from ((profile.fargate_profile_arn, profile) for profile in cluster.fargate_profiles.values())
