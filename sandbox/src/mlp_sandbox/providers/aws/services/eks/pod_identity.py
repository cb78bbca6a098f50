"""EKS Pod Identity: associations of service accounts with the roles of their pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    TAGS,
    Problems,
    document,
    given,
    json_text,
    missing,
    present,
)
from mlp_sandbox.providers.aws.services.eks._base import CLUSTER, GONE, EksHandler, Live

CHANGEABLE = ("disableSessionTags", "policy", "roleArn", "targetRoleArn")


class PodIdentityAssociation(EksHandler):
    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    delete_before_replace = True  # a service account has one association
    outputs = ("associationArn", "associationId", "externalId")
    fields: ClassVar[Mapping[str, Field]] = {
        **CLUSTER,
        **REGION,
        **TAGS,
        "disableSessionTags": Field(default=False),
        "namespace": Field(replace=True),
        "policy": Field(kind="json"),
        "roleArn": Field(),
        "serviceAccount": Field(replace=True),
        "targetRoleArn": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *json_text(inputs, "policy")]
        if inputs.get("policy") and not inputs.get("disableSessionTags"):
            problems.append(("policy", "needs disableSessionTags: set it to true"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        reply = self.client(aws, inputs).create_pod_identity_association(
            **{name: inputs[name] for name in ("clusterName", "namespace", "serviceAccount")},
            **given(**{name: inputs.get(name) for name in CHANGEABLE}, tags=inputs.get("tags") or None),
        )
        return str(reply["association"]["associationId"])

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        live = self._find(aws, id, inputs)
        return {
            **{name: live[name] for name in ("associationArn", "associationId", "clusterName", "namespace", "roleArn")},
            "disableSessionTags": live.get("disableSessionTags", False),
            "externalId": live.get("externalId", ""),
            "region": self.region(aws, inputs),
            "serviceAccount": live["serviceAccount"],
            **present(
                policy=document(live.get("policy"), inputs.get("policy")),
                tags=live.get("tags"),
                targetRoleArn=live.get("targetRoleArn"),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        if changed - {"tags"}:
            # An empty text removes a target role or a policy.
            emptied = {name: "" for name in ("policy", "targetRoleArn") if name in changed and name not in new}
            arguments = given(**{name: new.get(name) for name in CHANGEABLE}) | emptied
            if "disableSessionTags" in changed:
                arguments["disableSessionTags"] = new.get("disableSessionTags", False)
            self.client(aws, new).update_pod_identity_association(**_key(id, new), **arguments)
        if "tags" in changed:
            self.retag(aws, self._find(aws, id, new)["associationArn"], old, new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(GONE):
            self.client(aws, state).delete_pod_identity_association(**_key(id, state))

    def _find(self, aws: Aws, id: str, props: Props) -> Live:
        with missing(GONE):
            return self.client(aws, props).describe_pod_identity_association(**_key(id, props))["association"]


def _key(id: str, props: Props) -> dict[str, Any]:
    """Return the key of an association, whose id is given; `pulumi import` gives `cluster-name,association-id`."""
    cluster, _, association = id.rpartition(",")
    cluster = cluster or props.get("clusterName", "")
    if not cluster:
        raise ValueError(f"the id {id!r} is not of the form cluster-name,association-id")
    return {"clusterName": cluster, "associationId": association}


HANDLERS: list[Handler] = [PodIdentityAssociation()]
