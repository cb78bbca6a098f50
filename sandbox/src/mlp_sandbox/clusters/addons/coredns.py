"""Add-on `coredns`: the cluster's DNS, as EKS installs it.

https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from mlp_sandbox.clusters.addons import placement

IMAGE = "registry.k8s.io/coredns/coredns:v1.13.2"
KEYS = frozenset(
    {"replicaCount", "resources", "tolerations", "nodeSelector", "corefile", "podLabels", "podAnnotations"}
)
_LABELS = {"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns", placement.ADDON_LABEL: "coredns"}
_SELECTOR = {"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"}
_REPLICAS = 2
_RESOURCES = {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}}
# Names outside the cluster do not resolve here: NXDOMAIN is returned at once, and no query is forwarded. `template`
# needs a separate block, because in the same block it would answer before `kubernetes`.
COREFILE = """cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    health {
        lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
}
.:53 {
    errors
    template ANY ANY {
        rcode NXDOMAIN
    }
    cache 30
    reload
}
"""


def manifests(configuration: Mapping[str, object], dns_address: str, *, on_real_nodes: bool) -> list[dict[str, Any]]:
    corefile = str(placement.configured(COREFILE, configuration, "corefile"))
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    return [
        _object("v1", "ServiceAccount", "coredns", {}),
        *_access(),
        _object("v1", "ConfigMap", "coredns", {"data": {"Corefile": corefile}}),
        _object(
            "v1",
            "Service",
            "kube-dns",
            {"spec": {"clusterIP": dns_address, "selector": {"k8s-app": "kube-dns"}, "ports": ports}},
        ),
        _object(
            "policy/v1",
            "PodDisruptionBudget",
            "coredns",
            {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": _SELECTOR}}},
        ),
        _deployment(configuration, corefile, on_real_nodes=on_real_nodes),
    ]


def _deployment(configuration: Mapping[str, object], corefile: str, *, on_real_nodes: bool) -> dict[str, Any]:
    annotations = placement.configured({}, configuration, "podAnnotations")
    container = {
        "name": "coredns",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"},
            "initialDelaySeconds": 60,
            "timeoutSeconds": 5,
            "failureThreshold": 5,
        },
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": 8181, "scheme": "HTTP"},
            "periodSeconds": 2,
        },
        "resources": placement.configured(_RESOURCES, configuration, "resources"),
        # The binary has this file capability, and does not start in a container without it.
        "securityContext": {
            **placement.CONTAINER_SECURITY,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        },
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "securityContext": {
            **placement.POD_SECURITY,
            "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        },
        "affinity": placement.affinity("kube-dns", on_real_nodes=on_real_nodes),
        "nodeSelector": {"kubernetes.io/os": "linux", **placement.configured({}, configuration, "nodeSelector")},
        "tolerations": placement.configured(placement.CRITICAL_TOLERATIONS, configuration, "tolerations"),
        "containers": [container],
        "volumes": [
            {
                "name": "config-volume",
                "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]},
            }
        ],
    }
    template = {
        "metadata": {
            "labels": {**_LABELS, **placement.configured({}, configuration, "podLabels")},
            "annotations": {**annotations, "mlp.sandbox/corefile": hashlib.sha256(corefile.encode()).hexdigest()[:16]},
        },
        "spec": pod,
    }
    spec = {
        "replicas": placement.configured(_REPLICAS, configuration, "replicaCount"),
        "selector": {"matchLabels": _SELECTOR},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "template": template,
    }
    return _object("apps/v1", "Deployment", "coredns", {"spec": spec})


def _access() -> list[dict[str, Any]]:
    def rule(group: str, *resources: str) -> dict[str, Any]:
        return {"apiGroups": [group], "resources": list(resources), "verbs": ["list", "watch"]}

    role = "system:coredns"
    subject = {"kind": "ServiceAccount", "name": "coredns", "namespace": placement.NAMESPACE}
    api = "rbac.authorization.k8s.io"
    metadata = {"name": role, "labels": {placement.ADDON_LABEL: "coredns"}}
    rules = [rule("", "endpoints", "services", "pods", "namespaces"), rule("discovery.k8s.io", "endpointslices")]
    return [
        {"apiVersion": f"{api}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": role},
            "subjects": [subject],
        },
    ]


def _object(version: str, kind: str, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": placement.NAMESPACE, "labels": _LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
