"""The emulated EKS clusters as desired state for the data plane, and the data plane's status for the API to show.

Reconciling runs in one background thread. The data plane's status is only shown, never stored: a replay of the journal,
which has no data plane, must produce the same account.
"""

import ipaddress
import json
import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends

from mlp_sandbox.contracts.desired import (
    ClusterDataPlane,
    ClusterStatus,
    EksAddon,
    EksCluster,
    EksInstance,
    EksNodeGroup,
    EksTaint,
    PodIdentity,
)
from mlp_sandbox.emulator import propagation
from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.propagation import ASSOCIATIONS
from mlp_sandbox.emulator.services.eks.addon_versions import default_addon_version
from mlp_sandbox.emulator.services.eks.records import ClusterRecord, NodeGroup, all_clusters

_log = logging.getLogger(__name__)
_SHARED_ADDRESSES = ipaddress.ip_network("100.64.0.0/10")
"""The range for pods where node addresses must not run short: RFC 6598."""
INTERFACES_POLICY = "AmazonEKSVPCResourceController"
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


class Clusters:
    """The data plane, if there is one, and the thread that reconciles it with the API."""

    def __init__(self, account_lock: threading.RLock) -> None:  # pyright: ignore[reportGeneralTypeIssues]
        self.started_at = datetime.now(UTC)
        self._account_lock = account_lock
        self._plane: ClusterDataPlane | None = None
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="clusters", daemon=True)
        self._last: list[EksCluster] | None = None

    def register(self, plane: ClusterDataPlane) -> None:
        """Set the data plane. Call this before `start`."""
        self._plane = plane

    def start(self) -> None:
        """Reconcile once, and afterwards on every request. Returns after the first round."""
        self.started_at = datetime.now(UTC)
        if self._plane is not None:
            self._reconcile(self._plane)
            self._thread.start()

    def request_reconcile(self) -> None:
        """Request a reconcile soon, in the background."""
        self._wanted.set()

    def status(self, cluster_id: str) -> ClusterStatus | None:
        """Return the data plane's status of a cluster; None when nothing runs clusters."""
        return self._plane.status(cluster_id) if self._plane is not None else None

    def verify_pod_token(self, cluster_id: str, token: str) -> PodIdentity | None:
        """Return the pod that a token identifies; None when the token is not valid or there is no data plane."""
        return self._plane.verify_pod_token(cluster_id, token) if self._plane is not None else None

    def close(self) -> None:
        """Stop reconciling, then close the data plane."""
        self._closing = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)
        if self._plane is not None:
            self._plane.close()

    def abandon(self) -> None:
        """Stop reconciling and let the data plane start nothing new. The caller ends the running processes."""
        self._closing = True
        self._wanted.set()
        if self._plane is not None:
            self._plane.abandon()

    def _work(self) -> None:
        while True:
            self._wanted.wait(timeout=_next_association())
            self._wanted.clear()
            if self._closing:
                return
            if self._plane is not None:
                self._reconcile(self._plane)

    def _reconcile(self, plane: ClusterDataPlane) -> None:
        with self._account_lock:
            desired = desired_clusters()
        if desired == self._last:  # most writes to EC2 concern no cluster
            return
        try:
            plane.reconcile(desired)
        except Exception:
            _log.exception("%s could not be brought in step with the API", type(plane).__name__)
        else:
            self._last = desired


def _next_association() -> float | None:
    """Return the seconds until the next Pod Identity association takes effect; None when none is pending."""
    running = propagation.CURRENT
    return running.next_change(ASSOCIATIONS) if running is not None else None


CURRENT: Clusters | None = None


def current_status(cluster_id: str) -> ClusterStatus | None:
    """Return the running emulator's data plane status of a cluster; None without a data plane."""
    return CURRENT.status(cluster_id) if CURRENT else None


def started_at() -> datetime:
    """Return the time at which the running emulator's data plane started."""
    return CURRENT.started_at if CURRENT else datetime.now(UTC)


def desired_clusters() -> list[EksCluster]:
    """Return every cluster of every account and region. The caller must hold the account's lock."""
    return [_desired(cluster) for cluster in all_clusters()]


def _desired(cluster: ClusterRecord) -> EksCluster:
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    vpc = ec2.vpcs[cluster.description["resourcesVpcConfig"]["vpcId"]]
    return EksCluster(
        cluster_id=cluster.id,
        arn=cluster.arn,
        name=cluster.name,
        account=cluster.account,
        region=cluster.region,
        version=cluster.version,
        vpc_id=str(vpc.id),
        vpc_cidr=str(vpc.cidr_block),
        pod_cidr=_pod_range(vpc),
        service_cidr=str(cluster.description["kubernetesNetworkConfig"]["serviceIpv4Cidr"]),
        oidc_issuer=str(cluster.description["identity"]["oidc"]["issuer"]),
        addons=_addons(cluster),
        node_groups=tuple(_node_group(cluster, group) for group in cluster.node_groups.values()),
        pod_identities=_pod_identities(cluster),
        gives_pods_interfaces=_gives_pods_interfaces(cluster),
    )


def associations(clusters: Iterable[ClusterRecord]) -> dict[str, bool]:
    """Return the identifiers of all Pod Identity associations."""
    return {id: True for cluster in clusters for id in cluster.associations}


def _gives_pods_interfaces(cluster: ClusterRecord) -> bool:
    """Return whether the cluster's role may give pods network interfaces of their own.

    https://docs.aws.amazon.com/eks/latest/userguide/security-groups-pods-deployment.html
    """
    role = role_by_arn(str(cluster.description["roleArn"]))
    return role is not None and any(arn.endswith(f"/{INTERFACES_POLICY}") for arn in role.managed_policies)


def _pod_identities(cluster: ClusterRecord) -> tuple[str, ...]:
    counting = [
        association for id, association in cluster.associations.items() if propagation.effective(ASSOCIATIONS, id, True)
    ]
    return tuple(sorted(f"{each['namespace']}/{each['serviceAccount']}" for each in counting))


def _pod_range(vpc: Any) -> str:
    associated = [
        str(item["cidr_block"])
        for item in vpc.cidr_block_association_set
        if item["cidr_block_state"]["state"] == "associated"
    ]
    secondary = [cidr for cidr in associated if cidr != vpc.cidr_block]
    shared = [cidr for cidr in secondary if ipaddress.ip_network(cidr).subnet_of(_SHARED_ADDRESSES)]  # type: ignore[arg-type]
    return [*shared, *secondary, str(vpc.cidr_block)][0]


def _addons(cluster: ClusterRecord) -> tuple[EksAddon, ...]:
    addons = [
        EksAddon(
            name=name,
            version=str(addon["addonVersion"]),
            configuration=json.loads(addon.get("configurationValues") or "{}"),
        )
        for name, addon in cluster.addons.items()
    ]
    if cluster.bootstrap_addons and "coredns" not in cluster.addons:
        # EKS installs an unmanaged CoreDNS; VPC CNI and kube-proxy are part of every node here.
        addons.append(EksAddon(name="coredns", version=default_addon_version("coredns", cluster.version)))
    return tuple(addons)


def _node_group(cluster: ClusterRecord, group: NodeGroup) -> EksNodeGroup:
    description, scaled = group.description, auto_scaling_group(cluster, group)
    return EksNodeGroup(
        name=group.name,
        ami_type=str(description["amiType"]),
        capacity_type=str(description["capacityType"]),
        max_size=int(scaled.max_size) if scaled is not None else 0,
        labels=dict(description.get("labels") or {}),
        taints=tuple(
            EksTaint(key=taint["key"], value=taint.get("value") or "", effect=_EFFECTS[taint["effect"]])
            for taint in description.get("taints") or []
        ),
        instances=tuple(
            EksInstance(
                instance_id=instance.id,
                instance_type=instance.instance_type,
                zone=instance.placement.zone,
                private_ip=instance.private_ip,
                private_dns_name=instance.private_dns_name,
            )
            for instance in running_instances(cluster, group)
        ),
        efa_interfaces=_efa_interfaces(cluster, group),
    )


def _efa_interfaces(cluster: ClusterRecord, group: NodeGroup) -> int:
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    if group.launch_template not in ec2.launch_template_name_to_ids:
        return 0
    data = ec2.get_launch_template_by_name(group.launch_template).latest_version().data
    return sum(each.get("InterfaceType") in ("efa", "efa-only") for each in data.get("NetworkInterfaces") or [])


def auto_scaling_group(cluster: ClusterRecord, group: NodeGroup) -> Any:
    """Return the Auto Scaling group behind a node group; None when it has been deleted."""
    groups: Any = autoscaling_backends[cluster.account][cluster.region].autoscaling_groups
    return groups.get(group.auto_scaling_group)


def running_instances(cluster: ClusterRecord, group: NodeGroup) -> list[Any]:
    """Return the running EC2 instances of the group."""
    scaled = auto_scaling_group(cluster, group)
    states: list[Any] = scaled.instance_states if scaled is not None else []
    return [state.instance for state in states if state.instance.state == "running"]
