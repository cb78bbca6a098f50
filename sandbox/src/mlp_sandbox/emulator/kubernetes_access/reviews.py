"""Replies to TokenReview and SubjectAccessReview, from a cluster's access entries and their EKS access policies."""

import fnmatch
from collections.abc import Iterable
from typing import Any

from moto.ec2.models import ec2_backends

from mlp_sandbox.emulator import propagation
from mlp_sandbox.emulator.kubernetes_access.policies import POLICIES, Rule
from mlp_sandbox.emulator.kubernetes_access.tokens import Presenter
from mlp_sandbox.emulator.propagation import ENTRIES
from mlp_sandbox.emulator.services.eks.records import AccessEntry, ClusterRecord

PRINCIPAL = "canonicalArn"
"""The extra field of a user that holds its principal's ARN, named as in EKS's authenticator."""

PRINCIPAL_ID = "principalId"
"""The extra field that holds the principal's unique identifier."""


def entry_for(cluster: ClusterRecord, principal: str, principal_id: str) -> AccessEntry | None:
    """Return the principal's entry, or None.

    In a cluster that reads only aws-auth, its creator still administers it. An entry belongs to the role or user that
    it was created for: a later one of the same name gets no access.
    https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessEntry.html (principalArn)
    """
    if cluster.authentication_mode == "CONFIG_MAP" and principal != cluster.creator:
        return None
    entry = cluster.access_entries.get(principal)
    if entry is None or entry.principal_id not in ("", principal_id):
        return None
    return entry if propagation.effective(ENTRIES, key_of(cluster, principal), True) else None


def entries_and_policies(clusters: Iterable[ClusterRecord]) -> dict[tuple[str, ...], bool]:
    """Return the keys of all access entries and of the policies associated with them."""
    found: dict[tuple[str, ...], bool] = {}
    for cluster in clusters:
        for principal, entry in cluster.access_entries.items():
            found[key_of(cluster, principal)] = True
            found.update({key_of(cluster, principal, arn): True for arn in entry.policies})
    return found


def key_of(cluster: ClusterRecord, *names: str) -> tuple[str, ...]:
    """Return the key of a late effect: a cluster, a principal, and the ARN of a policy if the effect concerns one."""
    return (cluster.id, *names)


def user_of(cluster: ClusterRecord, entry: AccessEntry, presenter: Presenter) -> dict[str, Any]:
    """Return the Kubernetes user that an entry maps its principal to."""
    description = entry.description
    replaced = {
        "{{SessionNameRaw}}": presenter.session_name,
        "{{SessionName}}": presenter.session_name.replace("@", "-"),
        "{{AccountID}}": presenter.account,
        "{{EC2PrivateDNSName}}": _node_name(cluster, presenter.session_name),
    }
    username = str(description["username"])
    for template, value in replaced.items():
        username = username.replace(template, value)
    extra = {
        "accessKeyId": presenter.access_key,
        "arn": presenter.arn,
        PRINCIPAL: presenter.principal,
        PRINCIPAL_ID: presenter.user_id,
        "sessionName": presenter.session_name,
    }
    return {
        "username": username,
        "uid": f"aws-iam-authenticator:{presenter.account}:{presenter.user_id}",
        "groups": list(description["kubernetesGroups"]),
        "extra": {name: [value] for name, value in extra.items() if value},
    }


def judge(cluster: ClusterRecord, spec: dict[str, Any]) -> tuple[bool, str]:
    """Return whether an access policy of the user's principal allows a request, and the reason.

    The reason names the policy that allows the request, or states that none does. It is empty when the user has no
    entry.
    """
    extra = spec.get("extra") or {}
    principal = _extra(extra, PRINCIPAL)
    entry = entry_for(cluster, principal, _extra(extra, PRINCIPAL_ID)) if principal else None
    if entry is None:
        return False, ""  # users without an entry: Kubernetes' own accounts, or a user that is impersonated
    asked = spec.get("resourceAttributes")
    for arn, association in list(entry.policies.items()):
        if not propagation.effective(ENTRIES, key_of(cluster, principal, arn), True):
            continue
        name, scope = arn.rpartition("/")[2], association["accessScope"]
        for rule in POLICIES.get(name, ()):
            allowed = _allows_resource(rule, scope, asked) if asked else _allows_path(rule, scope)
            if allowed:
                return True, f"EKS access policy {name} of {principal}, {_where(scope)}"
    return False, f"no EKS access policy of {principal} allows {_wanted(spec)}"


def _extra(extra: dict[str, Any], wanted: str) -> str:
    """Return an extra field by name, in any case.

    Aggregated API servers get the extras as HTTP headers, whose names arrive in lower case.
    """
    named = (values for name, values in extra.items() if name.lower() == wanted.lower() and values)
    return str(next(named, [""])[0])


def _allows_resource(rule: Rule, scope: dict[str, Any], asked: dict[str, Any]) -> bool:
    namespace = asked.get("namespace") or ""
    if scope["type"] == "namespace" and not any(fnmatch.fnmatchcase(namespace, item) for item in scope["namespaces"]):
        return False
    if scope["type"] == "namespace" and not namespace:
        return False
    resource = "/".join(part for part in (asked.get("resource"), asked.get("subresource")) if part)
    return rule.allows(str(asked.get("verb")), asked.get("group") or "", resource)


def _allows_path(rule: Rule, scope: dict[str, Any]) -> bool:
    return rule.non_resource_urls and scope["type"] == "cluster"


def _wanted(spec: dict[str, Any]) -> str:
    asked = spec.get("resourceAttributes")
    if not asked:
        path = spec.get("nonResourceAttributes") or {}
        return f"{path.get('verb')} {path.get('path')}"
    resource = "/".join(part for part in (asked.get("resource"), asked.get("subresource")) if part)
    kind = f"{resource}.{asked['group']}" if asked.get("group") else resource
    where = f"in namespace {asked['namespace']}" if asked.get("namespace") else "in the whole cluster"
    return f"{asked.get('verb')} {kind} {where}"


def _where(scope: dict[str, Any]) -> str:
    return "whole cluster" if scope["type"] == "cluster" else f"namespaces {', '.join(scope['namespaces'])}"


def _node_name(cluster: ClusterRecord, instance_id: str) -> str:
    """Return the private DNS name of the instance that the role session is named after."""
    backend: Any = ec2_backends[cluster.account][cluster.region]
    for reservation in list(backend.reservations.values()):
        for instance in list(reservation.instances):
            if instance.id == instance_id:
                return str(instance.private_dns_name)
    return instance_id
