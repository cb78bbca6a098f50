"""Start of a sandbox, shared by `mlp sandbox up` and `mlp sandbox demo`."""

from __future__ import annotations

from mlp.console import report
from mlp_sandbox import lifecycle
from mlp_sandbox.instance import Instance
from mlp_sandbox.toolchain import ensure_pulumi, find_kubernetes


def bring_up(instance: Instance) -> lifecycle.Status:
    """Start a sandbox, or repair it after a crash, and return its status.

    Raises:
        SandboxError: the sandbox cannot be started.
    """
    kubernetes = find_kubernetes()
    kubectl = kubernetes.path("kubectl") if kubernetes else None
    return lifecycle.up(instance, ensure_pulumi(report).path, report, kubectl)
