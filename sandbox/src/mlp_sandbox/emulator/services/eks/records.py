"""Records of the emulated EKS: clusters with all their resources, stored where moto keeps its own clusters.

Descriptions have the shapes of the EKS API. Nothing that the data plane reports is stored here, so that a replay of the
journal produces the same records.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.eks.models import Cluster, FargateProfile, eks_backends
from moto.moto_api._internal import mock_random
from moto.sts.models import AssumedRole
from moto.utilities.utils import get_partition

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result

NOT_FOUND = "ResourceNotFoundException"
IN_USE = "ResourceInUseException"
INVALID_PARAMETER = "InvalidParameterException"
INVALID_REQUEST = "InvalidRequestException"
_DEFAULT_PAGE = 100


@dataclass
class NodeGroup:
    """A managed node group. `description` is without status, resources and health.

    The instances belong to the Auto Scaling group.
    """

    name: str
    uuid: str
    description: Result
    auto_scaling_group: str
    launch_template: str
    instance_profile: str
    own_access_entry: bool


@dataclass
class AccessEntry:
    """An access entry with its associated policies, by ARN.

    `principal_id` is the unique identifier of its role or user, which EKS stores and does not show. It is "" when not
    known, as for principals of other accounts.
    """

    description: Result
    principal_id: str = ""
    policies: dict[str, Result] = field(default_factory=dict[str, Result])


class ClusterRecord(Cluster):
    """One cluster. It extends moto's cluster, which holds the Fargate profiles; moto's other fields are unused."""

    def __init__(self, *, id: str, account: str, region: str, description: Result) -> None:
        # moto's constructor is skipped: it would draw an endpoint, an issuer and an authority that are never used.
        self.id, self.account, self.region = id, account, region
        self.name: str = description["name"]
        self.arn: str = description["arn"]
        self.description = description
        self.status = "ACTIVE"
        self.nodegroups: dict[str, Any] = {}
        self.nodegroup_count = 0
        self.fargate_profiles: dict[str, FargateProfile] = {}
        self.fargate_profile_count = 0
        self.bootstrap_addons = True
        self.creator = ""
        self.upgraded_at: datetime | None = None
        self.node_groups: dict[str, NodeGroup] = {}
        self.addons: dict[str, Result] = {}
        self.access_entries: dict[str, AccessEntry] = {}
        self.associations: dict[str, Result] = {}
        self.updates: dict[str, Result] = {}
        self.pod_sessions: dict[tuple[str, ...], AssumedRole] = {}

    @property
    def version(self) -> str:  # type: ignore[override]
        """The minor version of Kubernetes."""
        return str(self.description["version"])

    @version.setter
    def version(self, version: str) -> None:
        self.description["version"] = version

    @property
    def authentication_mode(self) -> str:
        """CONFIG_MAP, API_AND_CONFIG_MAP or API."""
        return str(self.description["accessConfig"]["authenticationMode"])

    def sub_arn(self, kind: str, *parts: str) -> str:
        """Return the ARN of a resource of the cluster."""
        path = "/".join((self.name, *parts))
        return f"arn:{get_partition(self.region)}:eks:{self.region}:{self.account}:{kind}/{path}"


def clusters_of(call: Call) -> dict[str, ClusterRecord]:
    """Return the clusters of the call's account and region, by name."""
    clusters: Any = eks_backends[call.identity.account][call.identity.region].clusters
    return clusters


def all_clusters() -> Iterator[ClusterRecord]:
    """Yield every cluster of every account and region. Uses copies, because webhooks do not take the account's lock."""
    for regions in list(eks_backends.values()):
        for backend in list(regions.values()):
            for cluster in list(backend.clusters.values()):
                if isinstance(cluster, ClusterRecord):
                    yield cluster


def cluster_of(call: Call, name: str | None = None) -> ClusterRecord:
    """Return the cluster that the call names.

    Raises:
        Fault: ResourceNotFoundException: there is no such cluster.
    """
    wanted = str(name or call.params.get("clusterName") or call.params.get("name"))
    cluster = clusters_of(call).get(wanted)
    if cluster is None:
        raise Fault(NOT_FOUND, f"No cluster found for name: {wanted}.", 404)
    return cluster


def node_group_of(cluster: ClusterRecord, name: str) -> NodeGroup:
    """Return a node group of a cluster.

    Raises:
        Fault: ResourceNotFoundException: there is no such node group.
    """
    if name not in cluster.node_groups:
        raise Fault(NOT_FOUND, f"No node group found for name: {name}.", 404)
    return cluster.node_groups[name]


def page(call: Call, items: Iterable[Any], key: Callable[[Any], str] = str) -> tuple[list[Any], dict[str, str]]:
    """Return the page of a list that maxResults and nextToken select, and the token of the next page."""
    found = sorted(items, key=key)
    token = call.params.get("nextToken")
    if token:
        found = [item for item in found if key(item) >= token]
    size = int(call.params.get("maxResults") or _DEFAULT_PAGE)
    rest = found[size:]
    return found[:size], {"nextToken": key(rest[0])} if rest else {}


def check_tags(tags: dict[str, str]) -> None:
    """Reject tags that EKS does not accept.

    https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html
    """
    reserved = [key for key in tags if key.lower().startswith("aws:")]
    if reserved:
        raise Fault(INVALID_PARAMETER, f"Tag keys cannot begin with aws:, which is reserved: {', '.join(reserved)}")
    if len(tags) > 50:
        raise Fault(INVALID_PARAMETER, f"A resource has 50 tags at most; {len(tags)} were given")


def now() -> datetime:
    """Return the current time, which is frozen during a write."""
    return datetime.now(UTC)


def new_uuid() -> str:
    """Return an identifier derived from the request's seed."""
    return str(mock_random.uuid4())


def short_id(length: int = 20) -> str:
    """Return lower-case letters and digits, as in the ids of associations."""
    return str(mock_random.get_random_string(length=length, lower_case=True))


def begin_update(
    cluster: ClusterRecord, kind: str, params: dict[str, str], *, node_group: str = "", addon: str = ""
) -> Result:
    """Record an update that has already been carried out, and return it as EKS does when an update begins."""
    id = new_uuid()
    update: Result = {
        "id": id,
        "status": "InProgress",
        "type": kind,
        "params": [{"type": name, "value": value} for name, value in params.items()],
        "createdAt": now(),
        "errors": [],
    }
    cluster.updates[id] = {"update": update, "nodeGroup": node_group, "addon": addon}
    return {"update": update}
