"""A real node: containerd, kubelet, kube-proxy and the Pod Identity agent in namespaces of their own."""

from sandbox.cluster.node.real import RealNode

__all__ = ["RealNode"]
