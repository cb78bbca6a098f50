"""EKS managed node groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, missing, one_of, present
from mlp_sandbox.providers.aws.services.eks._base import CLUSTER, GONE, EksHandler, Live, parts

EFFECTS = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
CAPACITY = ("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")
# Property: name in the API.
MADE_WITH = {
    "amiType": "amiType",
    "capacityType": "capacityType",
    "diskSize": "diskSize",
    "instanceTypes": "instanceTypes",
    "nodeRoleArn": "nodeRole",
    "subnetIds": "subnets",
}
CONFIG = {
    "nodeRepairConfig": "nodeRepairConfig",
    "scalingConfig": "scalingConfig",
    "updateConfig": "updateConfig",
}
VERSIONS = ("launchTemplate", "releaseVersion", "version")


class NodeGroup(EksHandler):
    token = "aws:eks/nodeGroup:NodeGroup"
    autoname = AutoName("nodeGroupName", max_length=63)
    timeout = 3600.0  # upstream: 60 minutes
    outputs = ("arn", "resources", "status")
    unsupported: ClassVar[Mapping[str, str]] = {
        "remoteAccess": "nodes of the sandbox have no SSH; use a launchTemplate and Session Manager",
        "warmPoolConfig": "the sandbox has no warm pools; leave it out",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **CLUSTER,
        **REGION,
        **TAGS,
        **{name: Field(replace=True, computed=True) for name in ("amiType", "capacityType", "diskSize")},
        "forceUpdateVersion": Field(default=False, write_only=True),
        "instanceTypes": Field(replace=True, computed=True),
        "labels": Field(kind="map"),
        "launchTemplate": Field(inner=("id", "name")),
        "nodeGroupName": Field(replace=True),
        "nodeGroupNamePrefix": Field(replace=True, write_only=True),
        "nodeRepairConfig": Field(computed=True),
        "nodeRoleArn": Field(replace=True),
        "releaseVersion": Field(computed=True),
        "remoteAccess": Field(replace=True),
        "scalingConfig": Field(),
        "subnetIds": Field(replace=True, kind="set"),
        "taints": Field(kind="set", nested={"value": ""}),
        "updateConfig": Field(computed=True),
        "version": Field(computed=True),
        "warmPoolConfig": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *one_of(inputs, "capacityType", CAPACITY)]
        taints, scaling, template = (inputs.get(name) for name in ("taints", "scalingConfig", "launchTemplate"))
        for taint in taints if isinstance(taints, list) else []:
            if isinstance(taint, dict) and isinstance(taint.get("effect"), str) and taint["effect"] not in EFFECTS:
                fix = f"EKS spells effects {', '.join(EFFECTS)}"
                problems.append(("taints", f"has effect {taint['effect']!r} on {taint.get('key')}: {fix}"))
        if isinstance(scaling, dict):
            low, size, high = (scaling.get(name) for name in ("minSize", "desiredSize", "maxSize"))
            sizes = [size for size in (low, size, high) if isinstance(size, int)]
            if len(sizes) == 3 and not (0 <= sizes[0] <= sizes[1] <= sizes[2] and sizes[2] > 0):
                rule = "0 <= minSize <= desiredSize <= maxSize, and maxSize >= 1"
                problems.append(("scalingConfig", f"has sizes {low}, {size}, {high}: EKS wants {rule}"))
        if isinstance(template, dict):
            if ("id" in template) == ("name" in template):
                problems.append(("launchTemplate", "needs one of id and name"))
            if "diskSize" in inputs:
                problems.append(("diskSize", "conflicts with launchTemplate: give the size in blockDeviceMappings"))
        update = inputs.get("updateConfig")
        if isinstance(update, dict) and ("maxUnavailable" in update) == ("maxUnavailablePercentage" in update):
            problems.append(("updateConfig", "needs one of maxUnavailable and maxUnavailablePercentage"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        cluster, name = str(inputs["clusterName"]), str(inputs["nodeGroupName"])
        self.client(aws, inputs).create_nodegroup(
            clusterName=cluster,
            nodegroupName=name,
            **given(
                **{key: inputs.get(prop) for prop, key in {**MADE_WITH, **CONFIG}.items()},
                **{prop: inputs.get(prop) for prop in (*VERSIONS, "labels", "taints")},
                tags=inputs.get("tags") or None,
            ),
        )
        id = f"{cluster}:{name}"
        aws.created(id)
        self._wait(aws, id, inputs, ("ACTIVE",))
        return id

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        live = self._find(aws, id, inputs)
        made = live.get("resources", {})
        groups = [{"name": group["name"]} for group in made.get("autoScalingGroups", [])]
        return {
            "arn": live["nodegroupArn"],
            "clusterName": live["clusterName"],
            "nodeGroupName": live["nodegroupName"],
            "region": self.region(aws, inputs),
            "resources": [
                {
                    "autoscalingGroups": groups,
                    "remoteAccessSecurityGroupId": made.get("remoteAccessSecurityGroup", ""),
                }
            ],
            "status": live["status"],
            **present(
                **{prop: live.get(key) for prop, key in {**MADE_WITH, **CONFIG}.items()},
                **{prop: live.get(prop) for prop in (*VERSIONS, "labels", "taints")},
                tags={key: text for key, text in live.get("tags", {}).items() if not key.startswith("aws:")},
            ),
        }

    def replaces(self, old: Props, new: Props, changed: set[str]) -> set[str]:
        """Replace the group for another launch template; a new version of the same one is rolled out in place."""
        same = _same_template(old.get("launchTemplate"), new.get("launchTemplate"))
        return set() if same else changed & {"launchTemplate"}

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        eks, key, what = self.client(aws, new), _key(id), f"EKS node group {id}"
        of = {"name": key["clusterName"], "nodegroupName": key["nodegroupName"]}
        if "launchTemplate" in changed and "launchTemplate" not in new:
            raise ValueError(f"launchTemplate of {id}: EKS takes none away; keep it, or make another node group")
        if versions := changed & set(VERSIONS):
            reply = eks.update_nodegroup_version(
                **key,
                force=new.get("forceUpdateVersion", False),
                **given(
                    **{prop: new.get(prop) for prop in versions - {"launchTemplate"}},
                    launchTemplate=new.get("launchTemplate"),
                ),
            )
            self.follow(aws, what, new, reply, **of)
        if changed & {*CONFIG, "labels", "taints"}:
            arguments = {key: new.get(prop) for prop, key in CONFIG.items() if prop in changed}
            if "labels" in changed:
                arguments["labels"] = _labels(old.get("labels") or {}, new.get("labels") or {})
            if "taints" in changed:
                arguments["taints"] = _taints(old.get("taints") or [], new.get("taints") or [])
            self.follow(aws, what, new, eks.update_nodegroup_config(**key, **given(**arguments)), **of)
        if "tags" in changed:
            self.retag(aws, self._find(aws, id, new)["nodegroupArn"], old, new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(GONE):
            self.client(aws, state).delete_nodegroup(**_key(id))
        self._wait(aws, id, state, ("deleted",))

    def _find(self, aws: Aws, id: str, props: Props) -> Live:
        with missing(GONE):
            return self.client(aws, props).describe_nodegroup(**_key(id))["nodegroup"]

    def _wait(self, aws: Aws, id: str, props: Props, wanted: tuple[str, ...]) -> None:
        failed = ("DELETE_FAILED",) if "deleted" in wanted else ("CREATE_FAILED", "DEGRADED", "DELETING", "deleted")
        self.settle(aws, f"EKS node group {id}", lambda: self._find(aws, id, props), wanted, failed)


def _key(id: str) -> dict[str, str]:
    cluster, group = parts(id, ":", ("cluster-name", "node-group-name"))
    return {"clusterName": cluster, "nodegroupName": group}


def _same_template(before: Any, after: Any) -> bool:
    if after is None:
        return True  # upstream also changes it in place
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    named = [key for key in ("id", "name") if key in before and key in after]
    return bool(named) and all(before[key] == after[key] for key in named)


def _labels(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Any]:
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    return present(addOrUpdateLabels=changed, removeLabels=sorted(set(old) - set(new)))


def _taints(old: list[Props], new: list[Props]) -> dict[str, Any]:
    """Return the changes of taints; key and effect identify a taint, so another value of the same one is an update."""
    kept = {(taint["key"], taint["effect"]) for taint in new}
    gone = [taint for taint in old if (taint["key"], taint["effect"]) not in kept]
    return present(addOrUpdateTaints=[taint for taint in new if taint not in old], removeTaints=gone)


HANDLERS: list[Handler] = [NodeGroup()]
