"""Permissions of principals in an EKS cluster: access entries, and the access policies associated with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, missing, one_of, present
from mlp_sandbox.providers.aws.services.eks._base import CLUSTER, GONE, EksHandler, parts, stamp

STANDARD = "STANDARD"
# https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
TYPES = (STANDARD, "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
SCOPES = ("cluster", "namespace")
POLICY_ARN = ":eks::aws:cluster-access-policy/"


class AccessEntry(EksHandler):
    token = "aws:eks/accessEntry:AccessEntry"
    delete_before_replace = True  # a cluster has one entry per principal
    outputs = ("accessEntryArn", "createdAt", "modifiedAt")
    fields: ClassVar[Mapping[str, Field]] = {
        **CLUSTER,
        **REGION,
        **TAGS,
        "kubernetesGroups": Field(kind="set", computed=True),
        "principalArn": Field(replace=True),
        "type": Field(replace=True, default=STANDARD),
        "userName": Field(computed=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *one_of(inputs, "type", TYPES)]
        if isinstance(inputs.get("type"), str) and inputs["type"] != STANDARD:
            why = f"cannot be given to an entry of type {inputs['type']}: leave it out"
            problems += [(name, why) for name in ("kubernetesGroups", "userName") if inputs.get(name)]
        groups = inputs.get("kubernetesGroups")
        for group in groups if isinstance(groups, list) else []:
            if isinstance(group, str) and group.startswith("system:"):
                fix = "EKS refuses groups that begin with 'system:'; associate an access policy, or bind an own group"
                problems.append(("kubernetesGroups", f"has {group!r}: {fix}"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        self.client(aws, inputs).create_access_entry(
            clusterName=inputs["clusterName"],
            principalArn=inputs["principalArn"],
            type=inputs.get("type", STANDARD),
            **given(
                kubernetesGroups=inputs.get("kubernetesGroups"),
                username=inputs.get("userName"),
                tags=inputs.get("tags") or None,
            ),
        )
        return f"{inputs['clusterName']}:{inputs['principalArn']}"

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        with missing(GONE):
            entry = self.client(aws, inputs).describe_access_entry(**_entry(id))["accessEntry"]
        return {
            "accessEntryArn": entry["accessEntryArn"],
            "clusterName": entry["clusterName"],
            "createdAt": stamp(entry.get("createdAt")),
            "modifiedAt": stamp(entry.get("modifiedAt")),
            "principalArn": entry["principalArn"],
            "region": self.region(aws, inputs),
            "type": entry["type"],
            "userName": entry.get("username", ""),
            "kubernetesGroups": entry.get("kubernetesGroups", []),
            **present(tags=entry.get("tags")),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        if changed - {"tags"}:
            # Both in one call, as upstream: an input that is left out keeps its value in EKS.
            found = {**old, **new}
            self.client(aws, new).update_access_entry(
                **_entry(id),
                kubernetesGroups=found.get("kubernetesGroups") or [],
                **given(username=found.get("userName") or None),
            )
        if "tags" in changed:
            live = self.read(aws, id, new) or {}
            self.retag(aws, live["accessEntryArn"], old, new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(GONE):
            self.client(aws, state).delete_access_entry(**_entry(id))


class AccessPolicyAssociation(EksHandler):
    token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    tagged = False
    delete_before_replace = True  # otherwise deleting the old one would delete the new one, which has the same id
    outputs = ("associatedAt", "modifiedAt")
    fields: ClassVar[Mapping[str, Field]] = {
        **CLUSTER,
        **REGION,
        "accessScope": Field(replace=True, kind="sets"),
        "policyArn": Field(replace=True),
        "principalArn": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems, scope, policy = super().check(inputs), inputs.get("accessScope"), inputs.get("policyArn")
        if isinstance(policy, str) and POLICY_ARN not in policy:
            fix = "give the ARN of an EKS access policy, arn:aws:eks::aws:cluster-access-policy/<name>"
            problems.append(("policyArn", f"is {policy!r}: {fix}"))
        if isinstance(scope, dict):
            problems += [("accessScope", f"has a type that {said}") for _, said in one_of(scope, "type", SCOPES)]
            if scope.get("type") == "namespace" and not scope.get("namespaces"):
                problems.append(("accessScope", "is of type namespace and names none: give namespaces"))
            if scope.get("type") == "cluster" and scope.get("namespaces"):
                problems.append(("accessScope", "is of type cluster: leave namespaces out, or set type to namespace"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        names = ("clusterName", "principalArn", "policyArn")
        self.client(aws, inputs).associate_access_policy(
            accessScope=inputs["accessScope"], **{name: inputs[name] for name in names}
        )
        return "#".join(str(inputs[name]) for name in names)

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        key = _association(id)
        policy = key.pop("policyArn")
        with missing(GONE):
            pages = self.client(aws, inputs).get_paginator("list_associated_access_policies").paginate(**key)
            found = [item for page in pages for item in page["associatedAccessPolicies"]]
        for item in found:
            if item["policyArn"] == policy:
                return {
                    **key,
                    "accessScope": present(**item["accessScope"]),
                    "associatedAt": stamp(item.get("associatedAt")),
                    "modifiedAt": stamp(item.get("modifiedAt")),
                    "policyArn": policy,
                    "region": self.region(aws, inputs),
                }
        raise NotFoundError(f"access policy association {id}")

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(GONE):
            self.client(aws, state).disassociate_access_policy(**_association(id))


def _entry(id: str) -> dict[str, Any]:
    cluster, principal = parts(id, ":", ("cluster-name", "principal-arn"))
    return {"clusterName": cluster, "principalArn": principal}


def _association(id: str) -> dict[str, Any]:
    cluster, principal, policy = parts(id, "#", ("cluster-name", "principal-arn", "policy-arn"))
    return {"clusterName": cluster, "principalArn": principal, "policyArn": policy}


HANDLERS: list[Handler] = [AccessEntry(), AccessPolicyAssociation()]
