"""Check that a gateway of the settings exists, before any resource that routes through it is created or changed.

A preview fails, too: the id in the committed settings is an example, and a deployment that detects this has already
created half of an environment.
https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

GET_TRANSIT_GATEWAY: Final = "aws:ec2transitgateway/getTransitGateway:getTransitGateway"
GET_PEERING: Final = "aws:ec2/getVpcPeeringConnection:getVpcPeeringConnection"
# Provider errors for a missing gateway. With any other error the result is unknown.
_NOT_THERE: Final = (
    *("no matching EC2 Transit Gateway", "no matching EC2 VPC Peering Connection"),
    *("InvalidTransitGatewayID", "InvalidVpcPeeringConnectionID", "couldn't find resource", "empty result"),
)


class GatewayMissingError(Exception):
    """Error: a route needs a gateway that does not exist or is not active."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Transit gateway or peering connection. `setting` is the path of the setting with its id."""

    id: str
    setting: str

    @property
    def is_peering(self) -> bool:
        return self.id.startswith("pcx-")

    @property
    def missing(self) -> str:
        kind = "peering connection" if self.is_peering else "transit gateway"
        return (
            f"{self.setting}: got {self.id!r}; there is no such {kind} in this account and region, nor is one shared "
            f"with it: write the id of yours, or remove the connection and its cluster.private_cidrs and set "
            f"cluster.public_access: true with cluster.api_cidrs"
        )

    def not_active(self, status: str) -> str:
        return (
            f"{self.setting}: got {self.id!r}, which is {status}: let the owner of the other VPC accept it "
            f"(aws ec2 accept-vpc-peering-connection), then try again"
        )


def gateway_hooks(gateway: Gateway, parent: pulumi.Resource) -> pulumi.ResourceHookBinding:
    """Return hooks for all resources that route through the gateway; they share one AWS query.

    `parent` supplies the AWS provider for the query, and Pulumi shows warnings at this resource.
    """
    check = _Check(gateway, parent)
    hook = pulumi.ResourceHook(f"{gateway.id} is there", check.before, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])


class _Check:
    def __init__(self, gateway: Gateway, parent: pulumi.Resource) -> None:
        self._gateway, self._parent = gateway, parent
        self._answer: asyncio.Task[str | None] | None = None

    async def before(self, _args: pulumi.ResourceHookArgs) -> None:
        """Raise GatewayMissingError if the gateway does not exist or is not active, in previews too."""
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        wrong = await self._answer
        if wrong is not None:
            raise GatewayMissingError(wrong)

    async def _ask(self) -> str | None:
        gateway = self._gateway
        token = GET_PEERING if gateway.is_peering else GET_TRANSIT_GATEWAY
        try:
            options = pulumi.InvokeOptions(parent=self._parent)
            found: Mapping[str, Any] | None = await pulumi.runtime.invoke_async(token, {"id": gateway.id}, options)
        except Exception as error:  # the SDK raises no narrower type
            if any(words in str(error) for words in _NOT_THERE):
                return gateway.missing
            pulumi.log.warn(f"cannot tell whether {gateway.id} is there: {error}", self._parent)
            return None
        status = str(found.get("status") or "active") if isinstance(found, Mapping) else "active"
        return None if status == "active" else gateway.not_active(status)
