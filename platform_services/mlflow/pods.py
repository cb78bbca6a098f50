"""Properties that all pods of MLflow share: the image, the service account with its role, and writable folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.eks.arguments import ClusterHandle
from components.instance_families import POD_INTERFACE
from components.pod_identity import NEEDS_ROLE, PodIdentity, PodRoleArgs
from platform_services.namespaces import ML_PLATFORM
from platform_services.network_policies import Ranges, to_aws
from platform_services.pods import closed_container, resources, restricted_pod

NAME = "mlflow"
PORT, METRICS_PORT = 5000, 9464
URI = f"http://{NAME}.{ML_PLATFORM}.svc.cluster.local:{PORT}"
MADE_AGAIN = {"pulumi.com/replaceUnready": "true"}
"""Annotation of a Job: after a failure, the next deployment creates it again instead of reporting the failure once
more.
https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/#pulumikubernetes-resource-annotations"""
CREDENTIALS, SCRATCH = "/run/mlflow", "/tmp"  # noqa: S108 - volumes of the pod
USER = 65532  # as in the Dockerfile
INTERFACE: Mapping[str, str] = {POD_INTERFACE: "1"}
"""A network interface of the pod's own, which is in MLflow's security group. EKS adds this to pods as well, but only
once its controller knows the SecurityGroupPolicy; declared here, the scheduler always counts it.
https://github.com/aws/amazon-vpc-resource-controller-k8s/blob/master/README.md"""


def labels(part: str) -> Mapping[str, str]:
    """Return the labels of the objects of one part, which policies and selectors use."""
    return {"app.kubernetes.io/name": part, "app.kubernetes.io/part-of": NAME}


def pod_labels(part: str) -> Mapping[str, str]:
    """Return the labels of a part's pods. Each of these pods needs its AWS role."""
    return {**labels(part), **NEEDS_ROLE}


@dataclass(frozen=True, kw_only=True)
class AccountArgs:
    """Arguments of `PodAccount`. `policy` is the IAM policy of pods with this service account."""

    cluster: ClusterHandle
    namespace: str
    namespace_ready: pulumi.Input[str]
    service_account: str
    policy: pulumi.Input[str]
    ranges: Ranges


class PodAccount(pulumi.ComponentResource):
    """A service account, its role, and the network policy for AWS. Pods depend on the whole component."""

    def __init__(self, name: str, args: AccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:PodAccount", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        PodIdentity(
            f"{name}-pod",
            PodRoleArgs(
                account=args.cluster.account,
                cluster_name=args.cluster.plain_name,
                cluster=args.cluster.name,
                namespace=args.namespace,
                service_account=args.service_account,
                policy=args.policy,
            ),
            child,
        )
        k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata={"name": args.service_account, "namespace": args.namespace_ready},
            automount_service_account_token=False,
            opts=child,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-apis",
            metadata={"name": f"{args.service_account}-apis", "namespace": args.namespace_ready},
            spec={
                "pod_selector": {"match_labels": labels(args.service_account)},
                "policy_types": ["Egress"],
                "egress": list(to_aws(args.ranges)),
            },
            opts=child,
        )
        self.register_outputs({})


def container(
    name: str,
    image: pulumi.Input[str],
    module: str,
    environment: Mapping[str, pulumi.Input[str]],
    memory: tuple[str, str] = ("256Mi", "1Gi"),
) -> k8s.core.v1.ContainerArgsDict:
    """Return a container that runs a module of the image. `memory` is its request and its limit."""
    variables: Sequence[k8s.core.v1.EnvVarArgsDict] = [
        *({"name": variable, "value": value} for variable, value in sorted(environment.items())),
        {"name": "HOME", "value": SCRATCH},
    ]
    return {
        "name": name,
        "image": image,
        "command": ["python", "-m", f"mlflow_server.{module}"],
        "env": variables,
        "volume_mounts": [
            {"name": "credentials", "mount_path": CREDENTIALS},
            {"name": "scratch", "mount_path": SCRATCH},
        ],
        "termination_message_policy": "FallbackToLogsOnError",
        "security_context": closed_container(),
        "resources": resources("100m", *memory, INTERFACE),
    }


def pod(service_account: str, main: k8s.core.v1.ContainerArgsDict) -> k8s.core.v1.PodSpecArgsDict:
    """Return a restricted pod of one container, with writable folders."""
    return {
        "priority_class_name": "platform",
        "service_account_name": service_account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": restricted_pod(USER),
        "containers": [main],
        "volumes": [
            {"name": "credentials", "empty_dir": {"medium": "Memory", "size_limit": "1Mi"}},
            # Whole artifacts pass through here on their way to the bucket.
            {"name": "scratch", "empty_dir": {"size_limit": "10Gi"}},
        ],
    }
