"""EKS access entries: the IAM principals that have access to a cluster, and their Kubernetes identity.

https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
"""

import re
from urllib.parse import unquote

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.named_principals import unique_id
from mlp_sandbox.emulator.services.eks.records import (
    IN_USE,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    NOT_FOUND,
    AccessEntry,
    ClusterRecord,
    check_tags,
    cluster_of,
    new_uuid,
    now,
    page,
)
from mlp_sandbox.emulator.services.registry import Call, Result, extends

CLUSTER_ADMIN = "AmazonEKSClusterAdminPolicy"
_PRINCIPAL = re.compile(
    r"arn:(?P<partition>aws[\w-]*):iam::(?P<account>\d{12}):(?P<kind>role|user)/(?P<path>[\w+=,.@/-]+)"
)
_RESERVED_NAMES = ("system:", "eks:", "aws:", "amazon:", "iam:")
# Usernames that EKS assigns by type; None: by the kind of principal. Types other than STANDARD have groups of their
# own.
_NODE_NAME, _SESSION_NAME = "system:node:{{EC2PrivateDNSName}}", "system:node:{{SessionName}}"
_TYPES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "STANDARD": (None, ()),
    "EC2_LINUX": (_NODE_NAME, ("system:nodes",)),
    "EC2_WINDOWS": (_NODE_NAME, ("system:nodes", "eks:kube-proxy-windows")),
    "FARGATE_LINUX": (_SESSION_NAME, ("system:bootstrappers", "system:nodes", "system:node-proxier")),
    "HYBRID_LINUX": (_SESSION_NAME, ("system:nodes",)),
    "EC2": (_NODE_NAME, ("system:nodes",)),
}


@extends("eks", "CreateAccessEntry")
def create(call: Call) -> Result:
    """Create the access entry of a principal. A second entry for the same principal is rejected."""
    cluster, params = with_entries(call), call.params
    arn, kind = str(params["principalArn"]), str(params.get("type") or "STANDARD").upper()
    match = _PRINCIPAL.fullmatch(arn)
    if match is None or "role/aws-service-role/" in arn:
        raise Fault(INVALID_PARAMETER, f"The principalArn parameter format is not valid: {arn}")
    if kind not in _TYPES:
        raise Fault(INVALID_PARAMETER, f"The type {kind} of an access entry is not valid; use {', '.join(_TYPES)}")
    if arn in cluster.access_entries:
        raise Fault(IN_USE, "The specified access entry resource is already in use on this cluster.", 409)
    groups, username = list(params.get("kubernetesGroups") or []), params.get("username")
    if kind != "STANDARD":
        if match["account"] != cluster.account or match["kind"] != "role":
            raise Fault(INVALID_PARAMETER, f"An access entry of type {kind} needs a role of account {cluster.account}")
        if groups or username:
            raise Fault(INVALID_REQUEST, f"kubernetesGroups and username cannot be given with type {kind}")
    _check_groups(groups)
    _check_username(username)
    check_tags(params.get("tags") or {})
    entry = add_entry(cluster, arn, kind, groups=groups, username=username, tags=params.get("tags") or {})
    return {"accessEntry": dict(entry.description)}


@extends("eks", "DescribeAccessEntry")
def describe(call: Call) -> Result:
    """Describe one entry."""
    return {"accessEntry": dict(entry_of(call).description)}


@extends("eks", "UpdateAccessEntry")
def update(call: Call) -> Result:
    """Change the groups or the username of an entry."""
    entry, params = entry_of(call), call.params
    if entry.description["type"] != "STANDARD":
        raise Fault(INVALID_REQUEST, f"An access entry of type {entry.description['type']} cannot be updated")
    groups, username = params.get("kubernetesGroups"), params.get("username")
    _check_groups(groups or [])
    _check_username(username)
    if groups is not None:
        entry.description["kubernetesGroups"] = list(groups)
    if username is not None:
        entry.description["username"] = username or default_username(entry.description["principalArn"], "STANDARD")
    entry.description["modifiedAt"] = now()
    return {"accessEntry": dict(entry.description)}


@extends("eks", "DeleteAccessEntry")
def delete(call: Call) -> Result:
    """Delete an entry with its associated policies."""
    entry = entry_of(call)
    del cluster_of(call).access_entries[entry.description["principalArn"]]
    return {}


@extends("eks", "ListAccessEntries")
def list_entries(call: Call) -> Result:
    """List the principals: all, or those with a policy."""
    cluster, policy = with_entries(call), call.params.get("associatedPolicyArn")
    found = [arn for arn, entry in cluster.access_entries.items() if not policy or policy in entry.policies]
    arns, token = page(call, found)
    return {"accessEntries": arns, **token}


def add_entry(
    cluster: ClusterRecord,
    arn: str,
    kind: str,
    *,
    groups: list[str] | None = None,
    username: str | None = None,
    tags: dict[str, str] | None = None,
) -> AccessEntry:
    """Add an entry. The caller has validated its values."""
    _, _, own = arn.rpartition(":")
    principal_kind, _, path = own.partition("/")
    moment = now()
    entry = AccessEntry(
        description={
            "clusterName": cluster.name,
            "principalArn": arn,
            "kubernetesGroups": list(_TYPES[kind][1]) or list(groups or []),
            "accessEntryArn": cluster.sub_arn(
                "access-entry", principal_kind, cluster.account, path.rpartition("/")[2], new_uuid()
            ),
            "createdAt": moment,
            "modifiedAt": moment,
            "tags": dict(tags or {}),
            "username": username or default_username(arn, kind),
            "type": kind,
        },
        principal_id=unique_id(arn),
    )
    cluster.access_entries[arn] = entry
    return entry


def bootstrap_entry(cluster: ClusterRecord, arn: str) -> None:
    """Add the entry of the cluster's creator, who administers it."""
    entry, moment = add_entry(cluster, arn, "STANDARD"), now()
    policy = f"{arn.split(':')[0]}:{arn.split(':')[1]}:eks::aws:cluster-access-policy/{CLUSTER_ADMIN}"
    entry.policies[policy] = {
        "policyArn": policy,
        "accessScope": {"type": "cluster", "namespaces": []},
        "associatedAt": moment,
        "modifiedAt": moment,
    }


def admit_nodes(cluster: ClusterRecord) -> None:
    """Add entries for the node roles that have none yet."""
    for group in cluster.node_groups.values():
        if group.description["nodeRole"] not in cluster.access_entries:
            add_entry(cluster, group.description["nodeRole"], "EC2_LINUX")
            group.own_access_entry = True


def default_username(arn: str, kind: str) -> str:
    """Return the username that EKS assigns."""
    by_type = _TYPES[kind][0]
    if by_type is not None:
        return by_type
    match = _PRINCIPAL.fullmatch(arn)
    if match is None or match["kind"] == "user":
        return arn
    role = match["path"].rpartition("/")[2]
    return f"arn:{match['partition']}:sts::{match['account']}:assumed-role/{role}/{{{{SessionName}}}}"


def with_entries(call: Call) -> ClusterRecord:
    """Return the call's cluster.

    Raises:
        Fault: The cluster's authentication mode has no access entries.
    """
    cluster = cluster_of(call)
    if cluster.authentication_mode == "CONFIG_MAP":
        raise Fault(
            INVALID_REQUEST,
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this "
            "operation.",
        )
    return cluster


def entry_of(call: Call) -> AccessEntry:
    """Return the entry that the call names.

    Raises:
        Fault: There is no such entry.
    """
    arn = unquote(str(call.params["principalArn"]))
    entry = with_entries(call).access_entries.get(arn)
    if entry is None:
        raise Fault(
            NOT_FOUND,
            f"The specified principalArn could not be found. You must specify a valid principalArn: {arn}",
            404,
        )
    return entry


def _check_groups(groups: list[str]) -> None:
    for group in groups:
        if not group or group.startswith(_RESERVED_NAMES):
            raise Fault(
                INVALID_PARAMETER,
                f"The kubernetes group name {group} is invalid, it cannot start with {', '.join(_RESERVED_NAMES)}",
            )


def _check_username(username: str | None) -> None:
    if not username:
        return
    if username.startswith(_RESERVED_NAMES):
        raise Fault(
            INVALID_PARAMETER,
            f"The username {username} is invalid, it cannot start with {', '.join(_RESERVED_NAMES)}",
        )
    before, template, _ = username.partition("{{SessionName")
    if template and ":" not in before:
        raise Fault(INVALID_PARAMETER, f"The username {username} must have a colon before {{{{SessionName}}}}")
