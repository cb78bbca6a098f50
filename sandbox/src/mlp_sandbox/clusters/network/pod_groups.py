"""SecurityGroupPolicy, the kind of object that EKS's VPC resource controller defines to give pods security groups.

Only the kind exists here: pods have no network interfaces of a VPC, and no security group protects them.
https://docs.aws.amazon.com/eks/latest/userguide/sg-pods-example-deployment.html
"""

from __future__ import annotations

from typing import Any

GROUP, VERSION, KIND = "vpcresources.k8s.aws", "v1beta1", "SecurityGroupPolicy"
_MOST_GROUPS = 16


def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition of SecurityGroupPolicy."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"securitygrouppolicies.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": "securitygrouppolicies",
                "singular": "securitygrouppolicy",
                "shortNames": ["sgp"],
            },
            "versions": [{"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": _schema()}}],
        },
    }


def _schema() -> dict[str, Any]:
    ids = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _MOST_GROUPS}
    spec = {
        "podSelector": _selector(),
        "serviceAccountSelector": _selector(),
        "securityGroups": {"type": "object", "properties": {"groupIds": ids}},
    }
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}}


def _selector() -> dict[str, Any]:
    text = {"type": "string"}
    expression = {
        "type": "object",
        "required": ["key", "operator"],
        "properties": {"key": text, "operator": text, "values": {"type": "array", "items": text}},
    }
    return {
        "type": "object",
        "properties": {
            "matchExpressions": {"type": "array", "items": expression},
            "matchLabels": {"type": "object", "additionalProperties": text},
        },
    }
