"""What EKS adds to every pod for Pod Identity, as an admission policy in place of EKS' webhook.

EKS does it for pods whose service account has an association; here it is done for all, and without an association the
agent hands out no credentials. https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
Beside it what else is another one's here than on AWS: where AWS is, who signs the certificates of its databases, and
images that are named by digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.cluster.images import digests
from sandbox.cluster.node.base_spec import DATABASE_CA
from sandbox.cluster.node.network import POD_IDENTITY_ADDRESS
from sandbox.cluster.tokens import AUDIENCE

NAME = "eks-pod-identity"
VOLUME = "eks-pod-identity-token"
MOUNT = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
_EXPIRATION_SECONDS = 86400
_API = "admissionregistration.k8s.io/v1"


def environment(region: str, aws_endpoint: str, *, databases: bool) -> dict[str, str]:
    """What every container gets, unless its manifest sets it. `databases`: whether nodes know whom these belong to.

    Images carry Amazon's certificates and say so in libpq's variable, over which that of the pod goes.
    https://www.postgresql.org/docs/current/libpq-envars.html
    """
    return {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{MOUNT}/{VOLUME}",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{POD_IDENTITY_ADDRESS}/v1/credentials",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": aws_endpoint,
        **({"PGSSLROOTCERT": DATABASE_CA} if databases else {}),
    }


def manifests(variables: Mapping[str, str]) -> list[dict[str, Any]]:
    policy = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            # As EKS' webhook does: a pod must not fail to come because of it.
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                ]
            },
            "matchConditions": [
                {
                    "name": "not-done-yet",
                    "expression": f"!has(object.spec.volumes) || !object.spec.volumes.exists(v, v.name == '{VOLUME}')",
                }
            ],
            "mutations": [
                {"patchType": "JSONPatch", "jsonPatch": {"expression": _volume()}},
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {"expression": _containers(variables)},
                },
            ],
        },
    }
    binding = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {"policyName": NAME},
    }
    return [policy, binding, *digests.manifests()]


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


def _containers(variables: Mapping[str, str]) -> str:
    def each(kind: str) -> str:
        entries = ", ".join(
            f"Object.spec.{kind}.env{{name: {json.dumps(name)}, value: {json.dumps(value)}}}"
            for name, value in variables.items()
        )
        mount = f'Object.spec.{kind}.volumeMounts{{name: "{VOLUME}", mountPath: "{MOUNT}", readOnly: true}}'
        unset = "!has(c.env) || !c.env.exists(own, own.name == e.name)"
        return f"""object.spec.{kind}.map(c, Object.spec.{kind}{{
      name: c.name,
      env: [{entries}].filter(e, {unset}),
      volumeMounts: [{mount}]
    }})"""

    return f"""Object{{
  spec: Object.spec{{
    containers: {each("containers")},
    initContainers: !has(object.spec.initContainers) ? [] : {each("initContainers")}
  }}
}}"""
