"""Real node: containerd, kubelet, kube-proxy and the Pod Identity agent in separate namespaces."""

from mlp_sandbox.clusters.nodes.real.node import RealNode

__all__ = ["RealNode"]
