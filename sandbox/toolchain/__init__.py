"""Where the tools come from that no Python package brings: found on the machine, else built once into a user cache."""

from sandbox.toolchain.kubernetes import KubernetesTools, ensure_kubernetes, find_kubernetes
from sandbox.toolchain.pulumi import ensure_pulumi, find_pulumi
from sandbox.toolchain.tool import Tool

__all__ = ["KubernetesTools", "Tool", "ensure_kubernetes", "ensure_pulumi", "find_kubernetes", "find_pulumi"]
