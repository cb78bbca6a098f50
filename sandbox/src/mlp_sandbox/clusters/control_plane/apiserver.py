"""Flags and configuration files of a cluster's API server. Flags are as on EKS where the difference is visible.

https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlp_sandbox.clusters.folder import ClusterFolder, write
from mlp_sandbox.clusters.model import Certificate

_AUTHENTICATION_TTL = "10s"
_ALLOWED_SECONDS, _DENIED_SECONDS = "5s", "2s"
_WEBHOOK_SECONDS = "10s"
_AUDIT_MEGABYTES = 20
# Paths that anonymous clients may read, as on EKS from 1.32 on:
# https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions-standard.html
_OPEN_PATHS = ("/healthz", "/livez", "/readyz")


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """URLs of the webhooks that authenticate bearer tokens and authorize requests by EKS access policies."""

    authenticate: str
    authorize: str


@dataclass(frozen=True, kw_only=True)
class ApiServerSettings:
    """Settings of the API server. `endpoints` is True if the Service `kubernetes` leads to the advertised address."""

    issuer: str
    service_cidr: str
    bind_address: str
    advertise_address: str
    port: int
    endpoints: bool
    etcd: str
    webhooks: Webhooks | None


@dataclass(frozen=True, kw_only=True)
class ApiServerCertificates:
    ca: Path
    server: Certificate
    etcd_ca: Path
    etcd_client: Certificate
    kubelet_client: Certificate
    proxy_ca: Path
    proxy_client: Certificate
    token_key: Path
    token_public_key: Path


def files(folder: ClusterFolder, settings: ApiServerSettings) -> dict[str, str]:
    """Return the content of the configuration files by name. They are in JSON, which is valid YAML."""
    content = {
        "authentication.json": _authentication(),
        "authorization.json": _authorization(folder, settings.webhooks),
        "encryption.json": _encryption(_secrets_key(folder)),
        "audit-policy.json": _audit_policy(),
    }
    if settings.webhooks is not None:
        content["token-webhook.json"] = _webhook(settings.webhooks.authenticate)
        content["access-webhook.json"] = _webhook(settings.webhooks.authorize)
    return {name: json.dumps(each, indent=1, sort_keys=True) for name, each in content.items()}


def arguments(
    folder: ClusterFolder, settings: ApiServerSettings, certificates: ApiServerCertificates
) -> tuple[str, ...]:
    flags = {
        "bind-address": settings.bind_address,
        "advertise-address": settings.advertise_address,
        "secure-port": settings.port,
        "endpoint-reconciler-type": "lease" if settings.endpoints else "none",
        "service-cluster-ip-range": settings.service_cidr,
        "allow-privileged": "true",
        "enable-admission-plugins": "NodeRestriction",
        "profiling": "false",
        "v": 1,
        # Storage in etcd. The local key replaces EKS' envelope encryption with a KMS key.
        "etcd-servers": settings.etcd,
        "etcd-cafile": certificates.etcd_ca,
        "etcd-certfile": certificates.etcd_client.certificate,
        "etcd-keyfile": certificates.etcd_client.key,
        "encryption-provider-config": folder.etc / "encryption.json",
        "encryption-provider-config-automatic-reload": "true",
        # Authentication and authorization.
        "client-ca-file": certificates.ca,
        "tls-cert-file": certificates.server.certificate,
        "tls-private-key-file": certificates.server.key,
        "authentication-config": folder.etc / "authentication.json",
        "authorization-config": folder.etc / "authorization.json",
        "service-account-issuer": settings.issuer,
        "service-account-jwks-uri": f"{settings.issuer}/keys",
        "service-account-signing-key-file": certificates.token_key,
        "service-account-key-file": certificates.token_public_key,
        "api-audiences": "https://kubernetes.default.svc",
        # API servers and webhooks in pods are reached at the pods' addresses: Service addresses are not routed here.
        "enable-aggregator-routing": "true",
        "requestheader-client-ca-file": certificates.proxy_ca,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "proxy-client-cert-file": certificates.proxy_client.certificate,
        "proxy-client-key-file": certificates.proxy_client.key,
        # Access to kubelets, for logs, exec and port-forward.
        "kubelet-client-certificate": certificates.kubelet_client.certificate,
        "kubelet-client-key": certificates.kubelet_client.key,
        "kubelet-preferred-address-types": "InternalIP",
        "audit-policy-file": folder.etc / "audit-policy.json",
        "audit-log-path": folder.log / "audit.log",
        "audit-log-maxsize": _AUDIT_MEGABYTES,
        "audit-log-maxbackup": 1,
        "audit-log-mode": "batch",
        "audit-log-batch-max-size": 100,
        "audit-log-batch-max-wait": "1s",
    }
    if settings.webhooks is not None:
        flags |= {
            "authentication-token-webhook-config-file": folder.etc / "token-webhook.json",
            "authentication-token-webhook-version": "v1",
            "authentication-token-webhook-cache-ttl": _AUTHENTICATION_TTL,
        }
    return tuple(f"--{name}={value}" for name, value in flags.items())


def _authentication() -> dict[str, Any]:
    conditions = [{"path": path} for path in _OPEN_PATHS]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": conditions},
    }


def _authorization(folder: ClusterFolder, webhooks: Webhooks | None) -> dict[str, Any]:
    authorizers: list[dict[str, Any]] = [{"type": "Node", "name": "node"}, {"type": "RBAC", "name": "rbac"}]
    if webhooks is not None:
        webhook = {
            "timeout": _WEBHOOK_SECONDS,
            "authorizedTTL": _ALLOWED_SECONDS,
            "unauthorizedTTL": _DENIED_SECONDS,
            "subjectAccessReviewVersion": "v1",
            "matchConditionSubjectAccessReviewVersion": "v1",
            "failurePolicy": "Deny",
            "connectionInfo": {"type": "KubeConfigFile", "kubeConfigFile": str(folder.etc / "access-webhook.json")},
            # Kubernetes' own user names have no access entries.
            "matchConditions": [{"expression": "!request.user.startsWith('system:')"}],
        }
        authorizers.append({"type": "Webhook", "name": "eks-access-policies", "webhook": webhook})
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthorizationConfiguration",
        "authorizers": authorizers,
    }


def _webhook(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "eks", "cluster": {"server": url}}],
        "users": [{"name": "apiserver", "user": {}}],
        "contexts": [{"name": "eks", "context": {"cluster": "eks", "user": "apiserver"}}],
        "current-context": "eks",
    }


def _encryption(key: str) -> dict[str, Any]:
    providers = [{"aescbc": {"keys": [{"name": "local", "secret": key}]}}, {"identity": {}}]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets"], "providers": providers}],
    }


def _secrets_key(folder: ClusterFolder) -> str:
    path = folder.pki / "secrets.key"
    if not path.is_file():
        write(path, base64.b64encode(os.urandom(32)))
    return path.read_text()


def _audit_policy() -> Mapping[str, Any]:
    """Return an audit policy that logs changes only. It omits reads and the cluster's periodic internal updates."""
    quiet = [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "None", "resources": [{"group": "", "resources": ["events", "nodes/status", "pods/status"]}]},
        {"level": "None", "resources": [{"group": "events.k8s.io", "resources": ["events"]}]},
        {"level": "None", "resources": [{"group": "authorization.k8s.io"}, {"group": "authentication.k8s.io"}]},
    ]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [*quiet, {"level": "Metadata"}],
    }
