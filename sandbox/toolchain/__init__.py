"""Where the tools come from that no Python package brings: found on the machine, else built once into a user cache."""

from sandbox.toolchain.pulumi import ensure_pulumi, find_pulumi
from sandbox.toolchain.tool import Tool

__all__ = ["Tool", "ensure_pulumi", "find_pulumi"]
