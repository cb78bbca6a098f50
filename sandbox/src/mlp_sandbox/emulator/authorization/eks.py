"""EKS permissions: ARNs of the resources in a cluster contain an identifier that requests do not carry.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from moto.eks.models import eks_backends

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.published import generic
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest, having
from mlp_sandbox.emulator.services.eks.records import ClusterRecord


def eks(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an EKS operation.

    A cluster has its ARN before it is created. Access entries are named by their principal.
    """
    if ask.identity.operation in {"CreateCluster", "RegisterCluster"}:
        yield Access(action=ask.action, resource=ask.arn(f"cluster/{ask.param('name')}"))
        return
    principal = ask.param("principalArn").split(":", 5)
    if len(principal) == 6:
        kind, _, path = principal[5].partition("/")
        name = path.rpartition("/")[2]
        ask = having(ask, IamIdentityType=kind, IamIdentityAccountID=principal[4], IamIdentityName=name)
    association = ask.param("associationId")
    if association:
        ask = having(ask, UUID=_uuid_of_association(ask, association))
    for access in generic(ask):
        yield replace(access, resource=_known(ask, access.resource))


def tags_of(account: str, region: str, arn: str) -> Mapping[str, str]:
    """Return the tags of a cluster or of a resource in one."""
    return next((tags for known, tags in _held(account, region) if known == arn), {})


def _known(ask: AuthorizationRequest, resource: str) -> str:
    """Complete an ARN that lacks only its identifier."""
    if not resource.endswith("/*"):
        return resource
    start = resource[:-1]
    held = _held(ask.identity.account, ask.identity.region)
    found = [arn for arn, _ in held if arn.startswith(start) and "/" not in arn[len(start) :]]
    return found[0] if len(found) == 1 else resource


def _uuid_of_association(ask: AuthorizationRequest, identifier: str) -> str:
    clusters: Any = eks_backends[ask.identity.account][ask.identity.region].clusters
    cluster = clusters.get(ask.param("clusterName"))
    held = cluster.associations.get(identifier) if isinstance(cluster, ClusterRecord) else None
    return str(held["associationArn"]).rpartition("/")[2] if held is not None else identifier


def _held(account: str, region: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for cluster in eks_backends[account][region].clusters.values():
        if not isinstance(cluster, ClusterRecord):
            continue
        yield cluster.arn, cluster.description.get("tags") or {}
        described = (
            *((group.description, "nodegroupArn") for group in cluster.node_groups.values()),
            *((addon, "addonArn") for addon in cluster.addons.values()),
            *((entry.description, "accessEntryArn") for entry in cluster.access_entries.values()),
            *((association, "associationArn") for association in cluster.associations.values()),
        )
        for description, key in described:
            yield str(description[key]), description.get("tags") or {}
        for profile in cluster.fargate_profiles.values():
            yield str(profile.fargate_profile_arn), dict(profile.tags or {})
