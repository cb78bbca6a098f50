"""Parts of pod specifications that every service shares: Pod Security `restricted`, and more restrictions.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from collections.abc import Mapping

import pulumi_kubernetes as k8s

NOBODY = 65534


def restricted_pod(user: int = NOBODY) -> k8s.core.v1.PodSecurityContextArgsDict:
    """Return the security context of a pod that runs as the given user ID, not as root."""
    return {
        "run_as_non_root": True,
        "run_as_user": user,
        "run_as_group": user,
        "fs_group": user,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def closed_container() -> k8s.core.v1.SecurityContextArgsDict:
    """Return a security context without privilege escalation, in which only mounted volumes are writable."""
    return {
        "allow_privilege_escalation": False,
        "privileged": False,
        "read_only_root_filesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def resources(
    cpu: str, memory: str, memory_limit: str, extended: Mapping[str, str] | None = None
) -> k8s.core.v1.ResourceRequirementsArgsDict:
    """Return requests and limits. Memory is limited; CPU is not, because a limit would slow down work on idle cores.

    `extended` are extended resources, which nodes count in whole numbers; their request is also their limit.
    """
    return {
        "requests": {"cpu": cpu, "memory": memory, **(extended or {})},
        "limits": {"memory": memory_limit, **(extended or {})},
    }
