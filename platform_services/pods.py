"""Parts of pod specifications that every service shares: what Pod Security `restricted` asks for, and more.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from collections.abc import Mapping

import pulumi_kubernetes as k8s

NOBODY = 65534


def restricted_pod(user: int = NOBODY) -> k8s.core.v1.PodSecurityContextArgsDict:
    return {
        "run_as_non_root": True,
        "run_as_user": user,
        "run_as_group": user,
        "fs_group": user,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def closed_container() -> k8s.core.v1.SecurityContextArgsDict:
    """No way to more rights, and nothing to write to but mounted volumes."""
    return {
        "allow_privilege_escalation": False,
        "privileged": False,
        "read_only_root_filesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def resources(
    cpu: str, memory: str, memory_limit: str, extended: Mapping[str, str] | None = None
) -> k8s.core.v1.ResourceRequirementsArgsDict:
    """Memory is limited, processor time is not: a limit there slows down what could run on idle cores.

    `extended` are resources that nodes count in whole numbers; what is asked for of them is also the limit.
    """
    return {
        "requests": {"cpu": cpu, "memory": memory, **(extended or {})},
        "limits": {"memory": memory_limit, **(extended or {})},
    }
