"""Properties that all pods of projects share: Pod Security `restricted`, requests and limits, one writable folder."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.deployment.environment_variables import SCRATCH
from ml_workloads.project.training import Resources
from platform_services.pods import closed_container, restricted_pod

# The user ID that images of projects are built for.
USER = 65532
SCRATCH_SIZE, DISK_REQUEST, DISK_LIMIT = "4Gi", "1Gi", "5Gi"
_VOLUME = "scratch"


def project_pod(
    service_account: pulumi.Input[str],
    priority_class: pulumi.Input[str],
    container: k8s.core.v1.ContainerArgsDict,
) -> k8s.core.v1.PodSpecArgsDict:
    """Return a restricted pod of one container, with a scratch volume."""
    return {
        "priority_class_name": priority_class,
        "service_account_name": service_account,
        "automount_service_account_token": False,
        # With service links, each Service of the namespace becomes a variable, and collides with settings such as
        # SERVING_PORT.
        "enable_service_links": False,
        "security_context": restricted_pod(USER),
        "containers": [container],
        "volumes": [{"name": _VOLUME, "empty_dir": {"size_limit": SCRATCH_SIZE}}],
    }


def project_container(
    name: str,
    image: pulumi.Input[str],
    module: str,
    variables: list[k8s.core.v1.EnvVarArgsDict],
    resources: k8s.core.v1.ResourceRequirementsArgsDict,
) -> k8s.core.v1.ContainerArgsDict:
    """Return a container. When it fails, Kubernetes reports the end of its log as the reason."""
    return {
        "name": name,
        "image": image,
        "command": ["python", "-m", module],
        "env": variables,
        "security_context": closed_container(),
        "resources": resources,
        "volume_mounts": [{"name": _VOLUME, "mount_path": SCRATCH}],
        "termination_message_policy": "FallbackToLogsOnError",
    }


def sized(resources: Resources, devices: Mapping[str, str] | None = None) -> k8s.core.v1.ResourceRequirementsArgsDict:
    """Return requests and limits. The memory limit equals the request; CPU has no limit."""
    more = devices or {}
    return {
        "requests": {"cpu": resources.cpu, "memory": resources.memory, "ephemeral-storage": DISK_REQUEST, **more},
        "limits": {"memory": resources.memory, "ephemeral-storage": DISK_LIMIT, **more},
    }
