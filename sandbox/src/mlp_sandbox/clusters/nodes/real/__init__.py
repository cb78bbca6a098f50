"""A real node: containerd, kubelet, kube-proxy and the Pod Identity agent in namespaces of their own."""

from mlp_sandbox.clusters.nodes.real.node import RealNode

__all__ = ["RealNode"]
