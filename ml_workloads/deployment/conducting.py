"""RBAC rules of a conductor: it starts the two Jobs that hold the project's code, watches them and deletes them.

The admission policies `jobs-of-conductors` and `jobs-as-their-cronjobs` restrict which Jobs these may be, because RBAC
rules cannot look into a Job.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.deployment.arguments import metadata
from ml_workloads.project.deployment_names import CONDUCTOR, FIT, WORKER
from platform_services.grants import grant

RULES: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    # `create` cannot be restricted by name, because the object does not exist yet.
    {"api_groups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete", "get"]},
    {"api_groups": ["batch"], "resources": ["cronjobs"], "resource_names": [FIT, WORKER], "verbs": ["get"]},
    {"api_groups": [""], "resources": ["events", "pods"], "verbs": ["list"]},
    {"api_groups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]


class Conducting(pulumi.ComponentResource):
    """Role and binding for the conductor's service account. Pods that conduct depend on this component."""

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        service_account: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops:index:ProjectConducting", name, {}, opts)
        account: k8s.rbac.v1.SubjectArgsDict = {
            "kind": "ServiceAccount",
            "name": service_account,
            "namespace": namespace,
        }
        grant(name, metadata(CONDUCTOR, namespace), RULES, [account], pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
