"""Rules for objects that are created in the cluster, as CEL expressions, each with the fix.

EKS access policies for editors and administrators of namespaces let them run any pods and write network policies.
Without these rules a pod could use a system priority, use a node with accelerators outside the quota of accelerators,
or be assigned to a node without the scheduler; a team could delete the policies that isolate it from its neighbours and
the database; and in a namespace that enforces no level of Pod Security, which is EKS's default, a pod could take over
its node.
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Sequence
from dataclasses import dataclass

from components.accelerators import ACCELERATORS
from components.pod_identity import CREDENTIALS_VARIABLE
from platform_services.classes import PRIORITIES

# Priorities that teams' pods may have. `platform` is for the platform's own services.
TEAM_PRIORITIES = tuple(name for name in PRIORITIES if name != "platform")
DEVICES = tuple(sorted({each.vendor.resource for each in ACCELERATORS.values()}))
# Controllers delete the objects of a namespace that is deleted. Users who may delete the policy are not bound by it
# either.
EXEMPT = (
    "'system:serviceaccounts:kube-system' in request.userInfo.groups || "
    "authorizer.group('admissionregistration.k8s.io').resource('validatingadmissionpolicies')"
    ".check('delete').allowed()"
)
ENFORCED = "pod-security.kubernetes.io/enforce"
# An existing pod's tolerations can only be extended, and none of them can be changed.
# https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement
CREATED = "request.operation == 'CREATE'"
TOLERATIONS_GREW = (
    "has(object.spec.tolerations) && "
    "(!has(oldObject.spec.tolerations) || size(object.spec.tolerations) > size(oldObject.spec.tolerations))"
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule. `holds` is an expression in CEL; `message` says what to write instead."""

    holds: str
    message: str


def pod_rules(priorities: Sequence[str] = TEAM_PRIORITIES, devices: Sequence[str] = DEVICES) -> Sequence[Rule]:
    """Return the rules for pods in teams' namespaces.

    Args:
        priorities: priority classes that the pods may have.
        devices: resources of accelerators; only pods that request one may tolerate its taint.
    """
    allowed = ", ".join(f"'{name}'" for name in priorities)
    return [
        _on_creation(
            f"has(namespaceObject.metadata.labels) && '{ENFORCED}' in namespaceObject.metadata.labels && "
            f"namespaceObject.metadata.labels['{ENFORCED}'] == 'restricted'",
            f"namespace: it has no pods before an administrator gives it the label {ENFORCED}=restricted",
        ),
        _on_creation(
            f"!has(object.spec.priorityClassName) || object.spec.priorityClassName in ['', {allowed}]",
            f"priorityClassName: teams' pods are of {' or '.join(priorities)}, or leave it out",
        ),
        _on_creation(
            "!has(object.spec.nodeName) || object.spec.nodeName == ''",
            "nodeName: leave it out, the scheduler chooses the node; ask for one by nodeSelector",
        ),
        _on_tolerations(
            "!has(object.spec.tolerations) || object.spec.tolerations.all(each, has(each.key) && each.key != '')",
            "tolerations: name the key of the taint, one without a key tolerates nodes of every kind",
        ),
        *(
            _on_tolerations(
                f"!({_tolerates(device)}) || {_asks_for(device)}",
                f"tolerations: {device} is for pods that ask for it, add resources.limits['{device}']",
            )
            for device in devices
        ),
    ]


def _on_creation(holds: str, message: str) -> Rule:
    return Rule(holds=f"!({CREATED}) || ({holds})", message=message)


def _on_tolerations(holds: str, message: str) -> Rule:
    """Return a rule for creations and for added tolerations.

    A pending pod could be given a toleration later. Updates of anything else are not checked.
    """
    return Rule(holds=f"!({CREATED}) && !({TOLERATIONS_GREW}) || ({holds})", message=message)


def _tolerates(device: str) -> str:
    return f"has(object.spec.tolerations) && object.spec.tolerations.exists(each, each.key == '{device}')"


def _asks_for(device: str) -> str:
    return (
        "object.spec.containers.exists(each, has(each.resources) && has(each.resources.limits) && "
        f"'{device}' in each.resources.limits && "
        f"quantity(string(each.resources.limits['{device}'])).isGreaterThan(quantity('0')))"
    )


# These names equal those in `ml_workloads/project/deployment_names.py`, which is a layer above.
CONDUCTOR, STARTED = "conductor", ("fit", "worker")
BY_CONDUCTOR = f"request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':{CONDUCTOR}'"
NAME_LABEL = "app.kubernetes.io/name"


def conductor_rules() -> Sequence[Rule]:
    """Return the rules for every Job that a conductor creates.

    A conductor reads a project's data and records its models. With a Job of its own choice it could run any image as
    any service account of the namespace.
    """
    names = ", ".join(f"'{name}'" for name in STARTED)
    return [
        Rule(
            holds=f"object.metadata.?labels[?'{NAME_LABEL}'].orValue('') in [{names}]",
            message=f"a conductor starts Jobs from the CronJobs {' and '.join(STARTED)} alone",
        )
    ]


def started_rules() -> Sequence[Rule]:
    """Return the rules for a Job that a conductor creates from a CronJob, which is `params`."""
    return [
        Rule(
            holds="object.spec.template.spec == params.spec.jobTemplate.spec.template.spec",
            message="spec.template.spec: a conductor starts Jobs as their CronJob has them, with nothing changed",
        ),
        Rule(
            holds=f"object.spec.template.metadata.?labels[?'{NAME_LABEL}'].orValue('') == params.metadata.name",
            message="spec.template.metadata.labels: network policies go by them, leave them as the CronJob has them",
        ),
    ]


NETWORK_RULES = (
    Rule(holds=EXEMPT, message="network policies of teams' namespaces are the platform's: change them by its program"),
)


def role_rules() -> Sequence[Rule]:
    """Return the rules for a pod that needs its AWS role, in every namespace.

    EKS adds the variables that lead to a pod's credentials when the pod is admitted, and admits it without them if the
    association is too new or EKS's webhook does not answer. Such a pod would never get any credentials.
    """
    return [
        Rule(
            holds=" && ".join(_every_container(kind, f"'{CREDENTIALS_VARIABLE}'") for kind in CONTAINERS),
            message="EKS has not yet given the pod its role on AWS: the Pod Identity association of its service "
            "account is missing, or takes effect within seconds; the pod's controller tries again by itself",
        )
    ]


CONTAINERS = ("containers", "initContainers")


def _every_container(kind: str, variable: str) -> str:
    has_it = f"has(each.env) && each.env.exists(entry, entry.name == {variable})"
    return f"(!has(object.spec.{kind}) || object.spec.{kind}.all(each, {has_it}))"
