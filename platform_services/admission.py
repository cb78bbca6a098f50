"""Admission policies of the API server: they deny pods without the role that they need, and restrict teams' namespaces.

https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pulumi
import pulumi_kubernetes as k8s

from components.pod_identity import NEEDS_ROLE
from platform_services.admission_rules import (
    BY_CONDUCTOR,
    NAME_LABEL,
    NETWORK_RULES,
    STARTED,
    Rule,
    conductor_rules,
    pod_rules,
    role_rules,
    started_rules,
)
from platform_services.namespaces import NAMESPACES

PODS, NETWORK, PODS_WITH_ROLES = "pods-of-teams", "network-policies-of-teams", "pods-with-roles-on-aws"
CONDUCTORS_JOBS, STARTED_JOBS = "jobs-of-conductors", "jobs-as-their-cronjobs"
# Namespaces of Kubernetes and of the platform. Teams do not work there, and the pods there have other needs.
OTHERS = ("kube-node-lease", "kube-public", "kube-system", *NAMESPACES)

Matched: TypeAlias = k8s.admissionregistration.v1.MatchResourcesArgsDict


@dataclass(frozen=True, kw_only=True)
class Policy:
    """An admission policy.

    `templates` are CronJobs of the namespace. An object that has the name of one of them as a label is compared with
    that CronJob, and denied if the CronJob is missing.
    """

    name: str
    rules: Sequence[Rule]
    matched: Matched
    by_conductors: bool = False
    templates: Sequence[str] = ()


def policies() -> Sequence[Policy]:
    """Return all admission policies of the platform."""
    jobs = _matched("batch", "jobs", ["CREATE"])
    network = _matched("networking.k8s.io", "networkpolicies", ["CREATE", "UPDATE", "DELETE"])
    return [
        Policy(name=PODS, rules=pod_rules(), matched=_matched("", "pods", ["CREATE", "UPDATE"])),
        Policy(name=PODS_WITH_ROLES, rules=role_rules(), matched=_labelled("", "pods", ["CREATE"], NEEDS_ROLE)),
        Policy(name=NETWORK, rules=NETWORK_RULES, matched=network),
        Policy(name=CONDUCTORS_JOBS, rules=conductor_rules(), matched=jobs, by_conductors=True),
        Policy(name=STARTED_JOBS, rules=started_rules(), matched=jobs, by_conductors=True, templates=STARTED),
    ]


class Admission(pulumi.ComponentResource):
    """The admission policies and their bindings."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Admission", name, {}, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        for policy in policies():
            made = self._policy(policy)
            for template in policy.templates:
                self._bind(f"{policy.name}-{template}", made, template)
            if not policy.templates:
                self._bind(policy.name, made)
        self.register_outputs({})

    def _policy(self, policy: Policy) -> pulumi.Input[str]:
        """Create a policy. Return its name as an output that has no value until the policy exists."""
        spec: k8s.admissionregistration.v1.ValidatingAdmissionPolicySpecArgsDict = {
            "failure_policy": "Fail",
            "match_constraints": policy.matched,
            "validations": [
                {"expression": rule.holds, "message": rule.message, "reason": "Forbidden"} for rule in policy.rules
            ],
        }
        if policy.by_conductors:
            spec["match_conditions"] = [{"name": "by-a-conductor", "expression": BY_CONDUCTOR}]
        if policy.templates:
            spec["param_kind"] = {"api_version": "batch/v1", "kind": "CronJob"}
        made = k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
            f"{self._name}-{policy.name}", metadata={"name": policy.name}, spec=spec, opts=self._child
        )
        return made.metadata.apply(lambda metadata: metadata.name or "")

    def _bind(self, name: str, policy: pulumi.Input[str], template: str | None = None) -> None:
        spec: k8s.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgsDict = {
            "policy_name": policy,
            "validation_actions": ["Deny"],
        }
        if template:
            # A missing parameter denies before the policy's conditions are evaluated, so only the selector excludes
            # other objects.
            spec["match_resources"] = {"object_selector": {"match_labels": {NAME_LABEL: template}}}
            spec["param_ref"] = {"name": template, "parameter_not_found_action": "Deny"}
        k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
            f"{self._name}-{name}-binding", metadata={"name": name}, spec=spec, opts=self._child
        )


def _matched(group: str, kind: str, operations: list[str]) -> Matched:
    return {
        "resource_rules": [_resources(group, kind, operations)],
        "namespace_selector": {
            "match_expressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": sorted(OTHERS)}]
        },
    }


def _labelled(group: str, kind: str, operations: list[str], labels: Mapping[str, str]) -> Matched:
    """Return a match for objects with the labels in every namespace, including the platform's."""
    return {
        "resource_rules": [_resources(group, kind, operations)],
        "object_selector": {"match_labels": dict(labels)},
    }


def _resources(
    group: str, kind: str, operations: list[str]
) -> k8s.admissionregistration.v1.NamedRuleWithOperationsArgsDict:
    return {"api_groups": [group], "api_versions": ["v1"], "operations": operations, "resources": [kind]}
