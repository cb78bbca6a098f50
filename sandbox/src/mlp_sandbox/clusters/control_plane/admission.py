"""Admission policies that add to pods what EKS' Pod Identity webhook adds.

A pod gets the credentials settings only if its service account has an association when the pod is admitted.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html Further policies replace what differs from AWS
here: the AWS endpoint, the CA of the database certificates, and images that are named by digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlp_sandbox.clusters.control_plane.tokens import AUDIENCE
from mlp_sandbox.clusters.images import digests
from mlp_sandbox.clusters.nodes.real.base_spec import DATABASE_CA
from mlp_sandbox.clusters.nodes.real.network import POD_IDENTITY_ADDRESS

NAME, SURROUNDINGS = "eks-pod-identity", "sandbox-surroundings"
VOLUME = "eks-pod-identity-token"
MOUNT = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
_EXPIRATION_SECONDS = 86400
_API = "admissionregistration.k8s.io/v1"


def surroundings(aws_endpoint: str, *, databases: bool) -> dict[str, str]:
    """Return the environment variables that every container gets unless its manifest sets them.

    Images set libpq's variable to Amazon's certificates; the variable in the pod's manifest overrides that.
    https://www.postgresql.org/docs/current/libpq-envars.html

    Args:
        aws_endpoint: URL of the emulated AWS API.
        databases: True if nodes have the CA file of the databases.
    """
    return {"AWS_ENDPOINT_URL": aws_endpoint, **({"PGSSLROOTCERT": DATABASE_CA} if databases else {})}


def credentials(region: str) -> dict[str, str]:
    """Return the environment variables for pods whose service account has an association.

    A variable that the pod's manifest sets stays unchanged.
    """
    return {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{MOUNT}/{VOLUME}",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{POD_IDENTITY_ADDRESS}/v1/credentials",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def manifests(region: str, aws_endpoint: str, *, databases: bool, accounts: Sequence[str]) -> list[dict[str, Any]]:
    """Return the admission policies of a cluster, with their bindings.

    Args:
        region: AWS region of the cluster.
        aws_endpoint: URL of the emulated AWS API.
        databases: True if nodes have the CA file of the databases.
        accounts: The service accounts that have an association, as `namespace/name`.
    """
    every = [_setting(surroundings(aws_endpoint, databases=databases))]
    given = [
        {"patchType": "JSONPatch", "jsonPatch": {"expression": _volume()}},
        _setting(credentials(region), mounted=True),
    ]
    conditions = [
        {
            "name": "not-done-yet",
            "expression": f"!has(object.spec.volumes) || !object.spec.volumes.exists(v, v.name == '{VOLUME}')",
        },
        {
            "name": "of-an-association",
            "expression": f"request.namespace + '/' + object.spec.serviceAccountName in {json.dumps(sorted(accounts))}",
        },
    ]
    return [*_policy(SURROUNDINGS, every, []), *_policy(NAME, given, conditions), *digests.manifests()]


def _policy(
    name: str, mutations: Sequence[Mapping[str, Any]], conditions: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    policy = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            # As with EKS' webhook, a failure of the policy must not block a pod.
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                ]
            },
            "matchConditions": list(conditions),
            "mutations": list(mutations),
        },
    }
    binding = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name},
    }
    return [policy, binding]


def _setting(variables: Mapping[str, str], *, mounted: bool = False) -> dict[str, Any]:
    expression = _containers(variables, mounted=mounted)
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def _volume() -> str:
    # An apply configuration is not possible: it replaces the whole list of a projected volume's sources.
    kind = "Object.spec.volumes"
    token = f'{kind}.projected.sources.serviceAccountToken{{audience: "{AUDIENCE}", path: "{VOLUME}", '
    token += f"expirationSeconds: {_EXPIRATION_SECONDS}}}"
    source = f"{kind}.projected.sources{{serviceAccountToken: {token}}}"
    volume = f'{kind}{{name: "{VOLUME}", projected: {kind}.projected{{sources: [{source}]}}}}'
    append = f'JSONPatch{{op: "add", path: "/spec/volumes/-", value: {volume}}}'
    # A patch whose value is a list that contains an object makes the API server panic (seen with 1.36.3).
    return f"""has(object.spec.volumes)
  ? [{append}]
  : [JSONPatch{{op: "add", path: "/spec/volumes", value: []}}, {append}]"""


def _containers(variables: Mapping[str, str], *, mounted: bool) -> str:
    def each(kind: str) -> str:
        entries = ", ".join(
            f"Object.spec.{kind}.env{{name: {json.dumps(name)}, value: {json.dumps(value)}}}"
            for name, value in variables.items()
        )
        mount = f'Object.spec.{kind}.volumeMounts{{name: "{VOLUME}", mountPath: "{MOUNT}", readOnly: true}}'
        mounts = f",\n      volumeMounts: [{mount}]" if mounted else ""
        unset = "!has(c.env) || !c.env.exists(own, own.name == e.name)"
        return f"""object.spec.{kind}.map(c, Object.spec.{kind}{{
      name: c.name,
      env: [{entries}].filter(e, {unset}){mounts}
    }})"""

    return f"""Object{{
  spec: Object.spec{{
    containers: {each("containers")},
    initContainers: !has(object.spec.initContainers) ? [] : {each("initContainers")}
  }}
}}"""
