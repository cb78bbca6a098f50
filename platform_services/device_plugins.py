"""Device plugins, which make accelerators a resource that pods can request. One per vendor, on its nodes only.

They run as root and mount a folder of the node, because a plugin needs both to register with the kubelet. All other
privileges are dropped. https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.accelerators import LABEL, NEURON, NVIDIA, Vendor, of_vendor
from platform_services.network_policies import Ranges, to_kubernetes
from platform_services.pods import closed_container, resources
from platform_services.versions import NEURON_DEVICE_PLUGIN, NVIDIA_DEVICE_PLUGIN

KUBELET_FOLDER = "/var/lib/kubelet/device-plugins"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A device plugin.

    `folders` of the node are mounted under the same path; `rules` are its permissions on the cluster.
    """

    vendor: Vendor
    image: str
    folders: Mapping[str, str]
    rules: Sequence[k8s.rbac.v1.PolicyRuleArgsDict] = ()


PLUGINS = (
    Plugin(vendor=NVIDIA, image=NVIDIA_DEVICE_PLUGIN, folders={"device-plugins": KUBELET_FOLDER}),
    Plugin(
        vendor=NEURON,
        image=NEURON_DEVICE_PLUGIN,
        folders={"device-plugins": KUBELET_FOLDER, "device-map": "/run"},
        # The plugin records the cores that a pod got, on the pod and on the node.
        rules=[
            {"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"api_groups": [""], "resources": ["nodes/status"], "verbs": ["patch", "update"]},
            {"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "patch", "update", "watch"]},
            {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
        ],
    ),
)


@dataclass(frozen=True, kw_only=True)
class DevicePluginsArgs:
    namespace: pulumi.Input[str]
    accelerators: tuple[str, ...]
    ranges: Ranges


class DevicePlugins(pulumi.ComponentResource):
    """One DaemonSet for each vendor whose accelerators the environment's pools have."""

    def __init__(self, name: str, args: DevicePluginsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:DevicePlugins", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        for plugin in PLUGINS:
            served = of_vendor(plugin.vendor, args.accelerators)
            if served:
                self._plugin(plugin, served)
        self.register_outputs({})

    def _plugin(self, plugin: Plugin, served: tuple[str, ...]) -> None:
        full = f"{plugin.vendor.name}-device-plugin"
        labels = {"app.kubernetes.io/name": full}
        rights = self._rights(plugin, full, labels) if plugin.rules else []
        k8s.apps.v1.DaemonSet(
            f"{self._name}-{plugin.vendor.name}",
            metadata={"name": full, "namespace": self._args.namespace, "labels": labels},
            spec={
                "selector": {"match_labels": labels},
                "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 1}},
                "template": {"metadata": {"labels": labels}, "spec": self._pod(plugin, full, served)},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=rights),
        )

    def _pod(self, plugin: Plugin, full: str, served: tuple[str, ...]) -> k8s.core.v1.PodSpecArgsDict:
        taint = plugin.vendor.taint
        return {
            "priority_class_name": "system-node-critical",
            "service_account_name": full if plugin.rules else None,
            "automount_service_account_token": bool(plugin.rules),
            "security_context": {"seccomp_profile": {"type": "RuntimeDefault"}},
            "affinity": {
                "node_affinity": {
                    "required_during_scheduling_ignored_during_execution": {
                        "node_selector_terms": [
                            {"match_expressions": [{"key": LABEL, "operator": "In", "values": list(served)}]}
                        ]
                    }
                }
            },
            "tolerations": [{"key": taint.key, "operator": "Exists", "effect": taint.effect}],
            "containers": [
                {
                    "name": full,
                    "image": plugin.image,
                    "env": [{"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}],
                    "security_context": closed_container(),
                    "resources": resources("50m", "64Mi", "256Mi"),
                    "volume_mounts": [{"name": volume, "mount_path": path} for volume, path in plugin.folders.items()],
                }
            ],
            "volumes": [
                {"name": volume, "host_path": {"path": path, "type": "Directory"}}
                for volume, path in plugin.folders.items()
            ],
        }

    def _rights(self, plugin: Plugin, full: str, labels: dict[str, str]) -> list[pulumi.Resource]:
        name, namespace = f"{self._name}-{plugin.vendor.name}", self._args.namespace
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata={"name": full, "namespace": namespace},
            automount_service_account_token=False,
            opts=self._child,
        )
        role = k8s.rbac.v1.ClusterRole(
            f"{name}-role", metadata={"name": full}, rules=list(plugin.rules), opts=self._child
        )
        binding = k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-binding",
            metadata={"name": full},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": full},
            subjects=[{"kind": "ServiceAccount", "name": full, "namespace": namespace}],
            opts=self._child,
        )
        policy = k8s.networking.v1.NetworkPolicy(
            f"{name}-api",
            metadata={"name": full, "namespace": namespace},
            spec={
                "pod_selector": {"match_labels": labels},
                "policy_types": ["Egress"],
                "egress": [to_kubernetes(self._args.ranges)],
            },
            opts=self._child,
        )
        return [account, role, binding, policy]
