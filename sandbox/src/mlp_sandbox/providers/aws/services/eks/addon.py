"""EKS add-ons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    TAGS,
    Problems,
    given,
    json_text,
    missing,
    one_of,
    present,
)
from mlp_sandbox.providers.aws.services.eks._base import CLUSTER, GONE, EksHandler, Live, parts, stamp

UPDATED = ("addonVersion", "configurationValues", "podIdentityAssociations", "serviceAccountRoleArn")


class Addon(EksHandler):
    token = "aws:eks/addon:Addon"
    timeout = 1200.0  # upstream: 20 minutes
    delete_before_replace = True  # a cluster has one add-on per name
    outputs = ("arn", "createdAt", "modifiedAt")
    fields: ClassVar[Mapping[str, Field]] = {
        **CLUSTER,
        **REGION,
        **TAGS,
        "addonName": Field(replace=True),
        "addonVersion": Field(computed=True),
        "configurationValues": Field(kind="exact", computed=True),
        "namespaceConfig": Field(replace=True, computed=True),
        "podIdentityAssociations": Field(kind="set"),
        "preserve": Field(default=False, write_only=True),
        "resolveConflictsOnCreate": Field(write_only=True),
        "resolveConflictsOnUpdate": Field(write_only=True),
        "serviceAccountRoleArn": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        return [
            *super().check(inputs),
            *json_text(inputs, "configurationValues"),
            *one_of(inputs, "resolveConflictsOnCreate", ("NONE", "OVERWRITE")),
            *one_of(inputs, "resolveConflictsOnUpdate", ("NONE", "OVERWRITE", "PRESERVE")),
        ]

    def create(self, aws: Aws, inputs: Props) -> str:
        cluster, addon = str(inputs["clusterName"]), str(inputs["addonName"])
        self.client(aws, inputs).create_addon(
            clusterName=cluster,
            addonName=addon,
            **given(
                **{name: inputs.get(name) for name in (*UPDATED, "namespaceConfig")},
                resolveConflicts=inputs.get("resolveConflictsOnCreate"),
                tags=inputs.get("tags") or None,
            ),
        )
        id = f"{cluster}:{addon}"
        aws.created(id)
        self._wait(aws, id, inputs, ("ACTIVE",))
        return id

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        eks, live = self.client(aws, inputs), self._find(aws, id, inputs)
        pods = [_association(eks, live["clusterName"], arn) for arn in live.get("podIdentityAssociations", [])]
        return {
            **{name: live[name] for name in ("addonName", "addonVersion", "clusterName")},
            "arn": live["addonArn"],
            "createdAt": stamp(live.get("createdAt")),
            "modifiedAt": stamp(live.get("modifiedAt")),
            "region": self.region(aws, inputs),
            **present(
                configurationValues=live.get("configurationValues"),
                namespaceConfig=live.get("namespaceConfig"),
                podIdentityAssociations=pods,
                serviceAccountRoleArn=live.get("serviceAccountRoleArn"),
                tags=live.get("tags"),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        if wanted := changed & set(UPDATED):
            # EKS keeps values that a call leaves out, except the role: an update without a role removes it.
            arguments = {name: new.get(name) for name in wanted | {"serviceAccountRoleArn"}}
            if "podIdentityAssociations" in wanted:
                arguments["podIdentityAssociations"] = new.get("podIdentityAssociations") or []
            arguments["resolveConflicts"] = new.get("resolveConflictsOnUpdate")
            reply = self.client(aws, new).update_addon(**_key(id), **given(**arguments))
            cluster, addon = _key(id).values()
            self.follow(aws, f"EKS add-on {id}", new, reply, name=cluster, addonName=addon)
        if "tags" in changed:
            self.retag(aws, self._find(aws, id, new)["addonArn"], old, new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(GONE):
            self.client(aws, state).delete_addon(**_key(id), preserve=bool(state.get("preserve")))
        self._wait(aws, id, state, ("deleted",))

    def _find(self, aws: Aws, id: str, props: Props) -> Live:
        with missing(GONE):
            return self.client(aws, props).describe_addon(**_key(id))["addon"]

    def _wait(self, aws: Aws, id: str, props: Props, wanted: tuple[str, ...]) -> None:
        # DEGRADED is temporary: an add-on has this status until a node runs its pods.
        failed = ("DELETE_FAILED",) if "deleted" in wanted else ("CREATE_FAILED", "DELETING", "deleted")
        self.settle(aws, f"EKS add-on {id}", lambda: self._find(aws, id, props), wanted, failed)


def _key(id: str) -> dict[str, str]:
    cluster, addon = parts(id, ":", ("cluster-name", "addon-name"))
    return {"clusterName": cluster, "addonName": addon}


def _association(eks: Any, cluster: str, arn: str) -> dict[str, str]:
    """Find an association by its ARN, as EKS only returns `...:podidentityassociation/<cluster>/<association>`."""
    id = arn.rsplit("/", 1)[-1]
    live = eks.describe_pod_identity_association(clusterName=cluster, associationId=id)["association"]
    return {"roleArn": live["roleArn"], "serviceAccount": live["serviceAccount"]}


HANDLERS: list[Handler] = [Addon()]
