"""Images of what the platform runs itself, in exact versions.

https://github.com/NVIDIA/k8s-device-plugin/releases
https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
https://github.com/kubernetes/autoscaler/releases (its minor follows that of Kubernetes)
"""

from collections.abc import Mapping

NVIDIA_DEVICE_PLUGIN = "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"
NEURON_DEVICE_PLUGIN = "public.ecr.aws/neuron/neuron-device-plugin:2.26.26.0"
CLUSTER_AUTOSCALER: Mapping[str, str] = {
    minor: f"registry.k8s.io/autoscaling/cluster-autoscaler:v{minor}.0" for minor in ("1.33", "1.34", "1.35", "1.36")
}
