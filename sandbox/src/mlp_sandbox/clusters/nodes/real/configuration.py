"""Configuration of a node's Kubernetes processes, and the plan for its first process."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from mlp_sandbox.clusters.model import Certificate, ClusterAccess, NodeSpec
from mlp_sandbox.clusters.nodes.real import containers, machine
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.clusters.nodes.real.plan import Network, Plan, Service
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import SOURCES

KUBELET_FOLDER = "/var/lib/kubelet"
ACCELERATORS_FILE = "device-plugins/mlp-accelerators.json"
"""Path below the kubelet's folder: the resources that the device plugin's stand-in announces.

The stand-in mounts the kubelet's folder as a hostPath.
"""

# https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
_OWN_LABELS = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/arch",
        "kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_OWN_LABEL_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Programs(Protocol):
    """Paths of the Kubernetes programs."""

    def path(self, name: str) -> Path: ...


def registration_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that a kubelet may set on its node.

    With other labels of Kubernetes' domains it refuses to start.
    """

    def allowed(key: str) -> bool:
        domain = key.rpartition("/")[0]
        reserved = any(domain == each or domain.endswith(f".{each}") for each in ("kubernetes.io", "k8s.io"))
        own = any(domain == each or domain.endswith(f".{each}") for each in _OWN_LABEL_DOMAINS)
        return not reserved or own or key in _OWN_LABELS

    return {key: value for key, value in sorted(labels.items()) if allowed(key)}


def kubelet_configuration(spec: NodeSpec, access: ClusterAccess, folder: NodeFolder) -> dict[str, object]:
    """Return the kubelet's configuration.

    https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(access.ca)},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [access.dns_address],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{containers.SOCKET}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "providerID": spec.provider_id,
        "maxPods": spec.max_pods,
        "podPidsLimit": 4096,
        "kubeReserved": machine.reserved(spec.cpus, spec.max_pods),
        "readOnlyPort": 0,
        "registerWithTaints": [
            {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in spec.taints
        ],
        "resolvConf": str(folder.etc / "resolv.conf"),
        "serializeImagePulls": False,
        # The disk is the user's. On many laptops, Kubernetes' default limits (15 % free) would cause evictions.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 99,
        "imageGCLowThresholdPercent": 98,
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 3,
        # A short interval, so that nodes and pods of a starting cluster show their state soon.
        "nodeStatusUpdateFrequency": "5s",
    }


def kube_proxy_configuration(spec: NodeSpec, access: ClusterAccess, folder: NodeFolder) -> dict[str, object]:
    """Return kube-proxy's configuration.

    https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
    """
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(folder.etc / "kube-proxy.kubeconfig")},
        "clusterCIDR": access.pod_cidr,
        "hostnameOverride": spec.name,
        # The node must not resize the machine's connection table.
        "conntrack": {"maxPerCore": 0},
    }


def kubeconfig(access: ClusterAccess, client: Certificate) -> dict[str, object]:
    cluster = {"server": access.server, "certificate-authority": str(access.ca)}
    user = {"client-certificate": str(client.certificate), "client-key": str(client.key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": access.name, "cluster": cluster}],
        "users": [{"name": "node", "user": user}],
        "contexts": [{"name": "node", "context": {"cluster": access.name, "user": "node"}}],
        "current-context": "node",
    }


def write(spec: NodeSpec, access: ClusterAccess, folder: NodeFolder, *, overlay: bool) -> None:
    """Write all files that the node's processes read, including client certificates. Raises SandboxError."""
    if spec.pod_cidr is None:
        raise SandboxError(f"node {spec.name}: a real node needs a pod_cidr, a /24 of {access.pod_cidr}")
    kubelet = access.issue(f"system:node:{spec.name}", ("system:nodes",), f"kubelet-{spec.name}")
    proxy = access.issue("system:kube-proxy", (), f"kube-proxy-{spec.name}")
    files = {
        "kubelet.yaml": kubelet_configuration(spec, access, folder),
        "kube-proxy.yaml": kube_proxy_configuration(spec, access, folder),
        "kubelet.kubeconfig": kubeconfig(access, kubelet),
        "kube-proxy.kubeconfig": kubeconfig(access, proxy),
    }
    for name, content in files.items():
        (folder.etc / name).write_text(json.dumps(content, indent=1))  # JSON is YAML
    (folder.etc / "resolv.conf").write_text(resolv := _resolv_conf())
    # For the node's own processes: short time-outs if no name server answers.
    (folder.etc / "resolv-node.conf").write_text(f"{resolv}options timeout:1 attempts:2\n")
    containers.write(folder, spec.pod_cidr, overlay=overlay, database_ca=access.database_ca)
    machine.write(folder, spec)
    accelerators = folder.kubelet / ACCELERATORS_FILE
    accelerators.parent.mkdir(exist_ok=True)
    accelerators.write_text(json.dumps(dict(spec.accelerators)))


def plan(spec: NodeSpec, access: ClusterAccess, folder: NodeFolder, programs: Programs) -> Plan:
    environment = {"PATH": _SYSTEM_PATH, "HOME": "/root", "LANG": "C.UTF-8"}
    labels = ",".join(f"{key}={value}" for key, value in registration_labels(spec.labels).items())
    kubelet = [str(programs.path("kubelet")), "--config", str(folder.etc / "kubelet.yaml")]
    kubelet += ["--kubeconfig", str(folder.etc / "kubelet.kubeconfig"), "--hostname-override", spec.name]
    kubelet += ["--node-ip", spec.private_ip, "--root-dir", KUBELET_FOLDER, "--node-labels", labels]
    proxy = [str(programs.path("kube-proxy")), "--config", str(folder.etc / "kube-proxy.yaml")]
    agent = [sys.executable, "-m", "mlp_sandbox.clusters.nodes.real.pod_identity_agent"]
    agent += ["--cluster", access.name, "--region", access.region, "--endpoint", access.aws_endpoint]
    services = (
        Service(
            name="containerd",
            command=(_program("containerd"), "--config", str(folder.etc / "containerd.toml")),
            environment=environment,
        ),
        Service(name="kubelet", command=tuple(kubelet), environment=environment, after=containers.SOCKET),
        Service(name="kube-proxy", command=tuple(proxy), environment=environment),
        Service(
            name="pod-identity-agent",
            command=tuple(agent),
            environment=environment | {"PYTHONPATH": str(SOURCES)},
            while_exists=str(folder.pod_identity_switch),
        ),
    )
    network = Network(
        netns=access.netns,
        bridge=access.bridge,
        link=folder.link,
        address=spec.private_ip,
        prefix_length=access.node_prefix_length,
        gateway=access.gateway,
        pod_cidr=spec.pod_cidr or "",
    )
    return Plan(
        fingerprint=_fingerprint(spec, access, folder, network, programs),
        hostname=spec.name,
        network=network,
        binds=(
            (str(folder.kubelet), KUBELET_FOLDER),
            (str(folder.var_log), "/var/log"),
            (str(folder.etc / "resolv-node.conf"), "/etc/resolv.conf"),
            *machine.binds(folder),
        ),
        services=services,
        registry=access.registry,
    )


def _fingerprint(
    spec: NodeSpec, access: ClusterAccess, folder: NodeFolder, network: Network, programs: Programs
) -> str:
    """Return a hash of the properties that require a restart of the node when they change.

    Labels and taints are not included, because those of a running node are changed in the API.
    """
    kubelet = kubelet_configuration(spec, access, folder)
    del kubelet["registerWithTaints"]
    content = {
        "kubelet": kubelet,
        "kube-proxy": kube_proxy_configuration(spec, access, folder),
        "containerd": containers.containerd_toml(
            folder, overlay=True, may_raise_priority=True, with_base=access.database_ca is not None
        ),
        "database_ca": access.database_ca.read_text() if access.database_ca is not None else None,
        "registries": containers.hosts_toml(),
        "size": [spec.cpus, spec.memory_mib, sorted(spec.accelerators.items())],
        "network": asdict(network),
        "cluster": [access.name, access.region, access.server, access.aws_endpoint, access.registry],
        "programs": [str(programs.path(name)) for name in ("kubelet", "kube-proxy")],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SandboxError(f"no {name} on PATH: real nodes need it; on Debian: apt-get install {name}")
    return found


def _resolv_conf() -> str:
    """Return the machine's resolv.conf without loopback name servers, which other namespaces cannot reach.

    The file of systemd-resolved is preferred, because it does not list its own loopback address.
    """
    for path in (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")):
        if path.is_file():
            lines = path.read_text().splitlines()
            return "\n".join(line for line in lines if not line.startswith("nameserver 127.")) + "\n"
    return ""
