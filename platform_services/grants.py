"""A Role of one namespace, and the binding that gives it to somebody."""

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
    """Declare both, with the same metadata.

    Args:
        name: of the resources, which get `-role` and `-binding` after it.
        metadata: name and namespace of both objects.
        rules: what the subjects may do in that namespace.
        subjects: whom it is given to.
        opts: of both resources.
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
    """Return the subject that is everybody of a group."""
    return {"kind": "Group", "name": name, "api_group": RBAC}
