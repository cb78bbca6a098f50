"""A Role of one namespace, and the RoleBinding that grants it to subjects."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

RBAC = "rbac.authorization.k8s.io"


def grant(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    rules: Sequence[k8s.rbac.v1.PolicyRuleArgsDict],
    subjects: Sequence[k8s.rbac.v1.SubjectArgsDict],
    opts: pulumi.ResourceOptions,
) -> None:
    """Create a Role and its RoleBinding with the same metadata.

    Args:
        name: prefix of the resources' names, which end with `-role` and `-binding`.
        metadata: name and namespace of both objects.
        rules: permissions of the subjects in that namespace.
        subjects: subjects that the role is granted to.
        opts: options of both resources.
    """
    role = k8s.rbac.v1.Role(f"{name}-role", metadata=metadata, rules=list(rules), opts=opts)
    k8s.rbac.v1.RoleBinding(
        f"{name}-binding",
        metadata=metadata,
        role_ref={
            "api_group": RBAC,
            "kind": "Role",
            "name": role.metadata.apply(lambda made: made.name or ""),
        },
        subjects=list(subjects),
        opts=opts,
    )


def group(name: str) -> k8s.rbac.v1.SubjectArgsDict:
    """Return the subject for all members of a group."""
    return {"kind": "Group", "name": name, "api_group": RBAC}
