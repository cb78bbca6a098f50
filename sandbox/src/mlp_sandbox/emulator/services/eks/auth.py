"""EKS Auth: credentials of an association's role, for a pod with a verified token.

The token is verified before the request reaches this module, because a replay of the journal could not verify it: see
`pod_tokens`.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.sts.models import AssumedRole

from mlp_sandbox.contracts.desired import PodIdentity
from mlp_sandbox.emulator.authorization.sessions import begin_for_service, role_by_arn
from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.pod_tokens import has_expired, verified_pod
from mlp_sandbox.emulator.services.eks.pod_identity import association_for
from mlp_sandbox.emulator.services.eks.records import NOT_FOUND, ClusterRecord, cluster_of, new_uuid
from mlp_sandbox.emulator.services.eks.roles import PODS
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_LIFETIME = timedelta(hours=6)
_RENEWED_BEFORE = timedelta(hours=1)
"""Credentials that stay valid for longer than this are reused.

The journal then has one line per pod, not one per request.
"""
_LONGEST_NAME = 64


@extends("eks-auth", "AssumeRoleForPodIdentity")
def assume_role(call: Call) -> Result:
    """Return credentials for the role of the pod's service account, and for no other role."""
    call.unrecorded = True
    cluster = cluster_of(call)
    pod = verified_pod(call.request)
    if pod is None:
        if has_expired(str(call.params["token"])):
            raise Fault("ExpiredTokenException", "The token included in the request is expired.")
        raise Fault("InvalidTokenException", "The token included in the request is invalid.")
    association = association_for(cluster, pod.namespace, pod.service_account)
    if association is None:
        raise Fault(
            NOT_FOUND,
            f"No association found for service account {pod.service_account} of namespace {pod.namespace} in cluster "
            f"{cluster.name}",
            404,
        )
    session = _session(call, cluster, pod, association)
    return {
        "subject": {"namespace": pod.namespace, "serviceAccount": pod.service_account},
        "audience": PODS,
        "podIdentityAssociation": {
            "associationArn": association["associationArn"],
            "associationId": association["associationId"],
        },
        "assumedRoleUser": {"arn": session.arn, "assumeRoleId": session.user_id},
        "credentials": {
            "accessKeyId": session.access_key_id,
            "secretAccessKey": session.secret_access_key,
            "sessionToken": session.session_token,
            "expiration": _aware(session.expiration),
        },
    }


def _session(call: Call, cluster: ClusterRecord, pod: PodIdentity, association: Result) -> AssumedRole:
    role_arn, tagged = str(association["roleArn"]), not association["disableSessionTags"]
    role: Any = role_by_arn(role_arn)
    key = (pod.pod_uid, association["associationId"], role_arn, getattr(role, "id", ""), str(tagged))
    known = cluster.pod_sessions.get(key)
    if known is not None and _aware(known.expiration) - datetime.now(UTC) > _RENEWED_BEFORE:
        return known
    tags = {
        "eks-cluster-arn": cluster.arn,
        "eks-cluster-name": cluster.name,
        "kubernetes-namespace": pod.namespace,
        "kubernetes-service-account": pod.service_account,
        "kubernetes-pod-name": pod.pod_name,
        "kubernetes-pod-uid": pod.pod_uid,
    }
    try:
        session = begin_for_service(
            role_arn=role_arn,
            service=PODS,
            session_name=_session_name(cluster, pod),
            region=call.identity.region,
            duration=int(_LIFETIME.total_seconds()),
            tags=tags if tagged else {},
            keys={"aws:SourceAccount": [cluster.account], "aws:SourceArn": [cluster.arn]},
        )
    except Fault as fault:
        text = f"Unauthorized Exception! EKS does not have permissions to assume the associated role. {fault.message}"
        raise Fault("AccessDeniedException", text, 403) from fault
    _forget_expired(cluster)
    cluster.pod_sessions[key] = session
    call.unrecorded = False
    return session


def _session_name(cluster: ClusterRecord, pod: PodIdentity) -> str:
    """Return `eks-<cluster>-<pod>-<UUID>`; names that are too long are cut off."""
    uuid = new_uuid()
    room = _LONGEST_NAME - len(f"eks---{uuid}")
    start = cluster.name[: room // 2]
    return f"eks-{start}-{pod.pod_name[: room - len(start)]}-{uuid}"


def _forget_expired(cluster: ClusterRecord) -> None:
    moment = datetime.now(UTC)
    for key in [key for key, session in cluster.pod_sessions.items() if _aware(session.expiration) <= moment]:
        del cluster.pod_sessions[key]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
