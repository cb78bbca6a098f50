"""Tools that no Python package brings: taken from the machine, else built once into a user cache."""

from mlp.machine.tool import Tool
from mlp_sandbox.toolchain.kubernetes import KubernetesTools, ensure_kubernetes, find_kubernetes
from mlp_sandbox.toolchain.pulumi import ensure_pulumi, find_pulumi

__all__ = ["KubernetesTools", "Tool", "ensure_kubernetes", "ensure_pulumi", "find_kubernetes", "find_pulumi"]
