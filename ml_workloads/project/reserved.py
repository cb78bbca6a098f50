"""Names that a team or a project cannot have, because Kubernetes, EKS or the platform reserves them. Pure functions."""

from functools import cache
from typing import Final

KUBERNETES: Final = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Namespaces of every new cluster.
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces"""

PLATFORM: Final = frozenset({"accelerators", "cluster-services", "ml-platform"})
"""Namespaces of the platform's services, as in `platform_services/namespaces.py`."""

STARTS: Final = ("kube-", "amazon-", "aws-", "eks-")
"""Prefixes of the namespaces of Kubernetes and of EKS add-ons, such as amazon-cloudwatch.
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ reserves the first."""

OWN: Final = tuple(sorted({*KUBERNETES, *PLATFORM, *(f"{start}*" for start in STARTS)}))
"""All reserved namespaces, as patterns."""

ADMINISTRATOR: Final = "admin"
"""Name of MLflow's administrator. A project's account at MLflow is named after the project."""


def taken_by(pattern: str) -> tuple[str, ...]:
    """Return the reserved namespaces that a team with this pattern, such as `vision-*`, would have access to."""
    return tuple(own for own in OWN if overlap(pattern, own))


def team_name(text: str) -> str:
    """Return the name of a team.

    Raises:
        ValueError: namespaces of the team could belong to Kubernetes, EKS or the platform.
    """
    taken = sorted({*taken_by(text), *taken_by(f"{text}-*")})
    if taken:
        raise ValueError(
            f"choose another name, a team {text} would work in {', '.join(taken)}, which Kubernetes, EKS or the "
            "platform has for itself"
        )
    return text


def project_name(text: str) -> str:
    """Return the name of a project.

    Raises:
        ValueError: it is the name of MLflow's administrator.
    """
    if text == ADMINISTRATOR:
        raise ValueError("choose another name, MLflow's administrator has this one")
    return text


@cache
def overlap(one: str, other: str) -> bool:
    """Return whether a name exists that both patterns match. `*` stands for any text."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])
