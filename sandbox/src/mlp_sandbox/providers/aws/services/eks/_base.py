"""Common base of EKS types: tags by ARN, ids of several parts, and updates that are followed to their end."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlp_sandbox.providers.aws.resource import Aws, Field, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import Problems, ServiceHandler, change_tags
from mlp_sandbox.providers.aws.services._waiting import refused, wait_until

GONE = "ResourceNotFoundException"
CLUSTER = {"clusterName": Field(replace=True)}

Live = dict[str, Any]


class EksHandler(ServiceHandler, ABC):
    service = "eks"
    tagged = True

    def check(self, inputs: Props) -> Problems:
        return [*super().check(inputs), *refused(inputs, self.unsupported)]

    def retag(self, aws: Aws, arn: str, old: Props, new: Props) -> None:
        eks = self.client(aws, new)
        change_tags(
            old,
            new,
            tag=lambda tags: eks.tag_resource(resourceArn=arn, tags=tags),
            untag=lambda keys: eks.untag_resource(resourceArn=arn, tagKeys=keys),
        )

    def settle(
        self, aws: Aws, what: str, describe: Callable[[], Live], wanted: Collection[str], failed: Collection[str]
    ) -> None:
        """Wait for a status; an object that EKS does not know has the status `deleted`."""
        last: Live = {}

        def status() -> str:
            try:
                last.update(describe())
            except NotFoundError:
                return "deleted"
            return str(last["status"])

        wait_until(
            what,
            status,
            wanted,
            timeout=aws.timeout,
            failed=failed,
            progress=aws.progress,
            why=lambda: issues(last.get("health", {}).get("issues")),
        )

    def follow(self, aws: Aws, what: str, props: Props, reply: Mapping[str, Any], **of: str) -> None:
        """Wait for an update of a cluster, node group or add-on; `of` has its arguments of DescribeUpdate."""
        eks, id = self.client(aws, props), reply["update"]["id"]
        last: Live = {}

        def status() -> str:
            last.update(eks.describe_update(updateId=id, **of)["update"])
            return str(last["status"])

        wait_until(
            f"{what}: {reply['update'].get('type', 'update')}",
            status,
            ("Successful",),
            timeout=aws.timeout,
            failed=("Failed", "Cancelled"),
            progress=aws.progress,
            why=lambda: issues(last.get("errors"), "errorCode", "errorMessage"),
        )


def parts(id: str, separator: str, names: Sequence[str]) -> list[str]:
    """Return the parts of an id, as `pulumi import` takes it."""
    found = id.split(separator, len(names) - 1)
    if len(found) != len(names) or not all(found):
        raise ValueError(f"the id {id!r} is not of the form {separator.join(names)}")
    return found


def issues(listed: Sequence[Mapping[str, Any]] | None, code: str = "code", message: str = "message") -> str:
    """Return the problems that EKS reports, in one line."""
    texts: list[str] = []
    for issue in listed or []:
        about = ", ".join(issue.get("resourceIds") or [])
        texts.append(f"{issue.get(code)}: {issue.get(message)}" + (f" ({about})" if about else ""))
    return "; ".join(texts)


def stamp(moment: datetime | None) -> str:
    """Return a time as the official provider writes it (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
