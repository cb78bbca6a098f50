"""Replacement of digests in references to catalogue images.

A digest refers to an image in another registry, and an image made here has a different digest. Therefore pods and
Dockerfiles get the catalogue's image of the same repository. References to other images stay unchanged.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mlp_sandbox.clusters.images.catalogue import CATALOGUE

NAME = "images-of-the-catalogue"
_API = "admissionregistration.k8s.io/v1"
_FROM = re.compile(
    r"^(\s*FROM\s+(?:--platform=\S+\s+)?)([^\s@]+)@sha256:[0-9a-f]{64}(?=\s|$)", re.IGNORECASE | re.MULTILINE
)


def stand_in(image: str) -> str:
    """Return the catalogue's reference for an image that is named by digest.

    Any other reference is returned unchanged.
    """
    name, at, _ = image.partition("@")
    if not at:
        return image
    return name if name in _references() else _by_repository().get(name, image)


def without_digests(dockerfile: str) -> str:
    """Return a Dockerfile without the digests of catalogue images in its FROM lines."""
    known = _references()
    return _FROM.sub(lambda match: match[1] + match[2] if match[2] in known else match[0], dockerfile)


def manifests() -> list[dict[str, Any]]:
    """Return the admission policy that applies `stand_in` to the containers of pods, with its binding."""
    by_digest = "has(c.image) && c.image.contains('@')"
    kinds = ("containers", "initContainers")
    policy = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                ]
            },
            "matchConditions": [
                {
                    "name": "named-by-digest",
                    "expression": " || ".join(
                        f"(has(object.spec.{kind}) && object.spec.{kind}.exists(c, {by_digest}))" for kind in kinds
                    ),
                }
            ],
            "variables": [
                {"name": "references", "expression": json.dumps(sorted(_references()))},
                {"name": "repositories", "expression": json.dumps(_by_repository(), sort_keys=True)},
            ],
            "mutations": [
                {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": _containers(kinds, by_digest)}}
            ],
        },
    }
    binding = {
        "apiVersion": _API,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {"policyName": NAME},
    }
    return [policy, binding]


def _containers(kinds: tuple[str, ...], by_digest: str) -> str:
    name = "c.image.split('@')[0]"
    image = (
        f"{name} in variables.references ? {name} : "
        f"({name} in variables.repositories ? variables.repositories[{name}] : c.image)"
    )
    fields = ", ".join(
        f"{kind}: !has(object.spec.{kind}) ? [] : object.spec.{kind}.filter(c, {by_digest})"
        f".map(c, Object.spec.{kind}{{name: c.name, image: {image}}})"
        for kind in kinds
    )
    return f"Object{{spec: Object.spec{{{fields}}}}}"


def _references() -> frozenset[str]:
    return frozenset(reference for image in CATALOGUE for reference in image.references)


def _by_repository() -> dict[str, str]:
    """Return the first reference of each repository, for images that are named only by digest."""
    found: dict[str, str] = {}
    for image in CATALOGUE:
        for reference in image.references:
            found.setdefault(reference.rpartition(":")[0], reference)
    return found
