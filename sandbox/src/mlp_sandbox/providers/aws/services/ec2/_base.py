"""Common base of EC2 types: each has a describe call by id, tags by id, and an error code for missing objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import boto3

from mlp_sandbox.providers.aws.resource import Aws, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    Problems,
    ServiceHandler,
    change_tags,
    from_pairs,
    missing,
    present,
    to_pairs,
)
from mlp_sandbox.providers.aws.services._waiting import refused

Live = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """Names that EC2 uses for a type.

    Attributes:
        kind: its name in tag specifications.
        describe: the operation that finds it.
        ids: the argument of the operation that takes ids.
        items: the list in the reply.
        gone: error codes for an id that does not exist.
        ended: states that count as gone.
    """

    kind: str
    describe: str
    ids: str
    items: str
    gone: tuple[str, ...]
    ended: tuple[str, ...] = ("deleted",)


class Ec2Handler(ServiceHandler, ABC):
    service = "ec2"
    api: ClassVar[Api]

    def check(self, inputs: Props) -> Problems:
        return [*super().check(inputs), *refused(inputs, self.unsupported)]

    def find(self, aws: Aws, id: str, props: Props) -> Live:
        with missing(*self.api.gone):
            reply = getattr(self.client(aws, props), self.api.describe)(**{self.api.ids: [id]})
        for live in reply[self.api.items]:
            if str(live.get("State", "")).lower() not in self.api.ended:
                return live
        raise NotFoundError(f"{self.api.kind} {id}")

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        live = self.find(aws, id, inputs)
        shared = present(tags=own_tags(live)) if self.tagged else {}
        return {"region": self.region(aws, inputs), **shared, **self.props(aws, id, inputs, live)}

    @abstractmethod
    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        """Return properties from the object that the describe call returned."""

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        if rest := changed - {"tags"}:
            self.modify(aws, id, old, new, rest)
        if "tags" in changed:
            self.retag(aws, id, old, new)

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        """Change anything but tags in place."""
        raise NotImplementedError(f"{self.token}: {', '.join(sorted(changed))} cannot be changed in place")

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing(*self.api.gone):
            self.remove(aws, id, state)

    @abstractmethod
    def remove(self, aws: Aws, id: str, state: Props) -> None:
        """Delete it; the error codes of `api.gone` count as done."""

    def retag(self, aws: Aws, id: str, old: Props, new: Props) -> None:
        ec2 = self.client(aws, new)
        change_tags(
            old,
            new,
            tag=lambda tags: ec2.create_tags(Resources=[id], Tags=to_pairs(tags)),
            untag=lambda keys: ec2.delete_tags(Resources=[id], Tags=[{"Key": key} for key in keys]),
        )

    def tagging(self, inputs: Props) -> dict[str, Any]:
        """Return the argument with which a create call tags the new object."""
        tags = to_pairs(inputs.get("tags"))
        return {"TagSpecifications": [{"ResourceType": self.api.kind, "Tags": tags}]} if tags else {}


def own_tags(live: Live) -> dict[str, str]:
    """Return the tags without those that AWS itself sets, which cannot be changed."""
    return {key: value for key, value in from_pairs(live.get("Tags")).items() if not key.startswith("aws:")}


def partition(region: str) -> str:
    return boto3.Session().get_partition_for_region(region)


def arn(region: str, account: str, path: str) -> str:
    return f"arn:{partition(region)}:ec2:{region}:{account}:{path}"
