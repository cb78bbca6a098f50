"""EKS Pod Identity: the role that the pods of a service account get.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html
"""

from typing import Any

from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.faults import NOT_IMPLEMENTED, Fault
from mlp_sandbox.emulator.services.eks.records import (
    IN_USE,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    NOT_FOUND,
    ClusterRecord,
    check_tags,
    cluster_of,
    now,
    page,
    short_id,
)
from mlp_sandbox.emulator.services.eks.roles import PODS, trusts
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_LISTED = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")


@extends("eks", "CreatePodIdentityAssociation")
def create(call: Call) -> Result:
    """Create an association, one for each service account. Its role must trust EKS Pod Identity."""
    cluster, params = cluster_of(call), call.params
    namespace, account = str(params["namespace"]), str(params["serviceAccount"])
    _refuse_missing(params)
    for what, name in (("namespace", namespace), ("serviceAccount", account)):
        if not name:
            raise Fault(INVALID_PARAMETER, f"{what} must not be empty")
    check_tags(params.get("tags") or {})
    check_pod_role(cluster, params["roleArn"], namespace, account)
    more: dict[str, Any] = {"tags": dict(params.get("tags") or {})}
    more["disableSessionTags"] = bool(params.get("disableSessionTags"))
    return {"association": dict(associate(cluster, namespace, account, params["roleArn"], more))}


@extends("eks", "DescribePodIdentityAssociation")
def describe(call: Call) -> Result:
    """Describe one association."""
    return {"association": dict(_association(call))}


@extends("eks", "UpdatePodIdentityAssociation")
def update(call: Call) -> Result:
    """Change the role or the session tags of an association."""
    params, association = call.params, _association(call)
    _refuse_missing(params)
    _refuse_owned(association)
    if params.get("roleArn"):
        check_pod_role(cluster_of(call), params["roleArn"], association["namespace"], association["serviceAccount"])
        association["roleArn"] = params["roleArn"]
    if params.get("disableSessionTags") is not None:
        association["disableSessionTags"] = bool(params["disableSessionTags"])
    association["modifiedAt"] = now()
    return {"association": dict(association)}


@extends("eks", "DeletePodIdentityAssociation")
def delete(call: Call) -> Result:
    """Delete an association. Its pods get no more credentials."""
    association = _association(call)
    _refuse_owned(association)
    return {"association": cluster_of(call).associations.pop(association["associationId"])}


@extends("eks", "ListPodIdentityAssociations")
def list_associations(call: Call) -> Result:
    """List the associations of a cluster, a namespace, or a service account."""
    params = call.params
    found = [
        {name: item[name] for name in _LISTED if name in item}
        for item in cluster_of(call).associations.values()
        if params.get("namespace") in (None, item["namespace"])
        and params.get("serviceAccount") in (None, item["serviceAccount"])
    ]
    associations, token = page(call, found, lambda item: str(item["associationId"]))
    return {"associations": associations, **token}


def associate(cluster: ClusterRecord, namespace: str, account: str, role_arn: str, more: Result) -> Result:
    """Add an association. The caller has checked its role.

    Raises:
        Fault: ResourceInUseException: the service account has an association already.
    """
    known = association_for(cluster, namespace, account)
    if known is not None:
        raise Fault(IN_USE, f"Association already exists: {known['associationId']}", 409)
    id, moment = f"a-{short_id(17)}", now()
    cluster.associations[id] = {
        "clusterName": cluster.name,
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": role_arn,
        "associationArn": cluster.sub_arn("podidentityassociation", id),
        "associationId": id,
        "tags": {},
        "createdAt": moment,
        "modifiedAt": moment,
        "disableSessionTags": False,
        **more,
    }
    return cluster.associations[id]


def association_for(cluster: ClusterRecord, namespace: str, account: str) -> Result | None:
    """Return the association of a service account, or None."""
    wanted = (namespace, account)
    found = (item for item in cluster.associations.values() if (item["namespace"], item["serviceAccount"]) == wanted)
    return next(found, None)


def remove_owned(cluster: ClusterRecord, owner: str) -> None:
    """Remove the associations of an add-on."""
    for id in [id for id, item in cluster.associations.items() if item.get("ownerArn") == owner]:
        del cluster.associations[id]


def check_pod_role(cluster: ClusterRecord, arn: str, namespace: str, account: str) -> None:
    """Check that the role exists and lets pods.eks.amazonaws.com assume it with tags."""
    if role_by_arn(arn) is None:
        raise Fault(INVALID_PARAMETER, f"Role provided in the request does not exist: {arn}")
    keys = {
        "aws:SourceAccount": cluster.account,
        "aws:SourceArn": cluster.arn,
        "aws:RequestTag/eks-cluster-arn": cluster.arn,
        "aws:RequestTag/eks-cluster-name": cluster.name,
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": account,
    }
    if not trusts(arn, PODS, ("sts:AssumeRole", "sts:TagSession"), keys):
        raise Fault(
            INVALID_PARAMETER,
            f"Trust policy of role {arn} must allow the service principal {PODS} both sts:AssumeRole and "
            "sts:TagSession",
        )


def _association(call: Call) -> Result:
    id = str(call.params["associationId"])
    found = cluster_of(call).associations.get(id)
    if found is None:
        raise Fault(NOT_FOUND, f"No association found for ID: {id}", 404)
    return found


def _refuse_owned(association: Result) -> None:
    if association.get("ownerArn"):
        raise Fault(
            INVALID_REQUEST,
            f"Association {association['associationId']} is owned by {association['ownerArn']}; change the add-on",
        )


def _refuse_missing(params: Result) -> None:
    for name in ("targetRoleArn", "policy"):
        if params.get(name):
            raise Fault(
                NOT_IMPLEMENTED,
                f"eks: {name} of Pod Identity associations is not emulated by the local AWS account",
                501,
            )
