"""What EKS adds to pods for Pod Identity, as an admission policy in place of EKS' webhook.

Only pods get it whose service account has an association when they are admitted.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
Beside it what else is another one's here than on AWS: where AWS is, who signs the certificates of its databases, and
images that are named by digest.
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
    """What every container gets, unless its manifest sets it. `databases`: whether nodes know whom these belong to.

    Images carry Amazon's certificates and say so in libpq's variable, over which that of the pod goes.
    https://www.postgresql.org/docs/current/libpq-envars.html
    """
    return {"AWS_ENDPOINT_URL": aws_endpoint, **({"PGSSLROOTCERT": DATABASE_CA} if databases else {})}


def credentials(region: str) -> dict[str, str]:
    """What containers get of pods whose service account has an association, unless their manifest sets it."""
    return {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{MOUNT}/{VOLUME}",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{POD_IDENTITY_ADDRESS}/v1/credentials",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def manifests(region: str, aws_endpoint: str, *, databases: bool, accounts: Sequence[str]) -> list[dict[str, Any]]:
    """Objects of the cluster. `accounts` are `namespace/name` of the service accounts that have an association."""
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
            # As EKS' webhook does: a pod must not fail to come because of it.
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
    # An apply configuration cannot do it: the list of a projected volume's sources is replaced as a whole.
    kind = "Object.spec.volumes"
    token = f'{kind}.projected.sources.serviceAccountToken{{audience: "{AUDIENCE}", path: "{VOLUME}", '
    token += f"expirationSeconds: {_EXPIRATION_SECONDS}}}"
    source = f"{kind}.projected.sources{{serviceAccountToken: {token}}}"
    volume = f'{kind}{{name: "{VOLUME}", projected: {kind}.projected{{sources: [{source}]}}}}'
    append = f'JSONPatch{{op: "add", path: "/spec/volumes/-", value: {volume}}}'
    # A list that holds an object as the value of one patch ends in a panic of the API server (seen with 1.36.3).
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
