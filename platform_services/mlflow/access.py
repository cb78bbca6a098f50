"""Access of people to MLflow: teams forward a port to one of its pods, and sign in with their project's account.

Kubernetes can restrict port forwarding by names of pods, which change, but not by labels or ports. So this opens every
port of every pod of the namespace, which is MLflow's alone: the server's page and API, which require an account, its
metrics, which do not, and Jobs, which do not listen. Any other pod in the namespace would be opened with it. The API
server's proxy could be limited to one Service, but it consumes the header that signs in at MLflow.
"""

import pulumi
import pulumi_kubernetes as k8s

from components.eks.access import TEAMS
from platform_services.grants import grant, group

NAME = "mlflow-people"
RULES: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    {"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    # A websocket begins with a GET. From 1.35 on the verb of its use is checked as well.
    # https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
    {"api_groups": [""], "resources": ["pods/portforward"], "verbs": ["create", "get"]},
]


class MlflowAccess(pulumi.ComponentResource):
    """Permission of teams to forward ports to MLflow. The platform's team has it by its EKS access policy."""

    def __init__(self, name: str, namespace: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:MlflowAccess", name, {}, opts)
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {"name": NAME, "namespace": namespace}
        grant(name, metadata, RULES, [group(TEAMS)], pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
