"""The device plugin of Elastic Fabric Adapter, which makes the interfaces of nodes a resource that pods can request.

It runs on the nodes of pools with `efa: true` only, and with the settings of AWS's chart: privileged and in the node's
network, because it reads the node's RDMA devices. So it runs in a namespace whose Pod Security level allows that, and
has no token.
https://docs.aws.amazon.com/eks/latest/userguide/device-management-efa.html#eks-efa-device-plugin
https://github.com/aws/eks-charts/tree/master/stable/aws-efa-k8s-device-plugin
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.eks.arguments import POOL_LABEL, NodePool
from platform_services.device_plugins import KUBELET_FOLDER
from platform_services.pods import resources
from platform_services.versions import efa_device_plugin

NAME = "efa-device-plugin"
# Folders of the node, under the same path in the container. The last one exists on Neuron nodes only; AWS's chart
# creates it.
FOLDERS = {
    "device-plugins": (KUBELET_FOLDER, "Directory"),
    "infiniband": ("/dev/infiniband", "Directory"),
    "neuron-tools": ("/opt/aws/neuron", "DirectoryOrCreate"),
}


@dataclass(frozen=True, kw_only=True)
class EfaPluginArgs:
    """Arguments of the plugin. `pools` are the pools whose nodes have EFA interfaces."""

    namespace: pulumi.Input[str]
    region: str
    pools: tuple[NodePool, ...]

    def __post_init__(self) -> None:
        without = [pool.name for pool in self.pools if not pool.spec.efa_interfaces]
        if without or not self.pools:
            raise ValueError(f"pools must be those with efa, got {', '.join(without) or 'none'}")


class EfaPlugin(pulumi.ComponentResource):
    """The DaemonSet of the EFA device plugin."""

    def __init__(self, name: str, args: EfaPluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:EfaPlugin", name, {}, opts)
        labels = {"app.kubernetes.io/name": NAME}
        k8s.apps.v1.DaemonSet(
            f"{name}-pods",
            metadata={"name": NAME, "namespace": args.namespace, "labels": labels},
            spec={
                "selector": {"match_labels": labels},
                "update_strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 1}},
                "template": {"metadata": {"labels": labels}, "spec": _pod(args)},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _pod(args: EfaPluginArgs) -> k8s.core.v1.PodSpecArgsDict:
    taints = sorted({(taint.key, taint.effect) for pool in args.pools for taint in pool.spec.node_taints})
    return {
        "priority_class_name": "system-node-critical",
        "automount_service_account_token": False,
        "host_network": True,
        "node_selector": {"kubernetes.io/os": "linux"},
        "affinity": {
            "node_affinity": {
                "required_during_scheduling_ignored_during_execution": {
                    "node_selector_terms": [
                        {
                            "match_expressions": [
                                {
                                    "key": POOL_LABEL,
                                    "operator": "In",
                                    "values": sorted(pool.name for pool in args.pools),
                                }
                            ]
                        }
                    ]
                }
            }
        },
        "tolerations": [{"key": key, "operator": "Exists", "effect": effect} for key, effect in taints],
        "containers": [
            {
                "name": NAME,
                "image": efa_device_plugin(args.region),
                # As in AWS's chart since its release of 2025-09-03. Fewer privileges were not tested on a node with
                # EFA.
                "security_context": {"privileged": True, "run_as_user": 0, "read_only_root_filesystem": True},
                "resources": resources("50m", "64Mi", "256Mi"),
                "volume_mounts": [{"name": volume, "mount_path": path} for volume, (path, _) in FOLDERS.items()],
            }
        ],
        "volumes": [
            {"name": volume, "host_path": {"path": path, "type": kind}} for volume, (path, kind) in FOLDERS.items()
        ],
    }
