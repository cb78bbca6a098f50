"""EKS: the JSON schemas of add-ons' configurationValues, limited to top-level settings.

Like EKS's schemas, they reject unknown settings. `aws eks describe-addon-configuration` prints EKS's own, which are
more detailed.
"""

from typing import Any

_OBJECT: dict[str, Any] = {"type": "object"}
_LIST: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
_TEXT: dict[str, Any] = {"type": "string"}
_SWITCH: dict[str, Any] = {"type": "boolean"}
_NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
_TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
_QUANTITIES: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"limits": _OBJECT, "requests": _OBJECT, "claims": _LIST},
}
_PODS: dict[str, Any] = {
    "affinity": _OBJECT,
    "nodeSelector": _TEXTS,
    "podAnnotations": _OBJECT,
    "podLabels": _TEXTS,
    "resources": _QUANTITIES,
    "tolerations": _LIST,
}


def _schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


SCHEMAS: dict[str, dict[str, Any]] = {
    "aws-ebs-csi-driver": _schema(
        {
            "additionalDaemonSets": _OBJECT,
            "controller": _OBJECT,
            "customLabels": _TEXTS,
            "defaultStorageClass": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"enabled": _SWITCH},
            },
            "node": _OBJECT,
            "nodeComponentOnly": _SWITCH,
            "sidecars": _OBJECT,
        }
    ),
    "coredns": _schema(
        {
            **_PODS,
            "autoScaling": _OBJECT,
            "computeType": _TEXT,
            "corefile": _TEXT,
            "podDisruptionBudget": _OBJECT,
            "priorityClassName": _TEXT,
            "replicaCount": _NUMBER,
            "topologySpreadConstraints": _LIST,
        }
    ),
    "eks-pod-identity-agent": _schema(
        {**_PODS, "agent": _OBJECT, "daemonsets": _OBJECT, "init": _OBJECT, "priorityClassName": _TEXT}
    ),
    "kube-proxy": _schema({**_PODS, "ipvs": _OBJECT, "mode": {"enum": ["iptables", "ipvs", "nftables"]}}),
    "metrics-server": _schema(
        {
            **_PODS,
            "addonResizer": _OBJECT,
            "args": {"type": "array", "items": {"type": "string"}},
            "podDisruptionBudget": _OBJECT,
            "priorityClassName": _TEXT,
            "replicas": _NUMBER,
            "topologySpreadConstraints": _LIST,
        }
    ),
    "vpc-cni": _schema(
        {
            **_PODS,
            "enableNetworkPolicy": {"enum": ["true", "false"]},
            "enableWindowsIpam": {"enum": ["true", "false"]},
            "eniConfig": _OBJECT,
            "env": _TEXTS,
            "init": _OBJECT,
            "livenessProbeTimeoutSeconds": _NUMBER,
            "nodeAgent": _OBJECT,
            "readinessProbeTimeoutSeconds": _NUMBER,
        }
    ),
}
