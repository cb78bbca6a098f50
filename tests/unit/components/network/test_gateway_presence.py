"""Lookup of the gateways in the settings: its timing, and the messages for missing or pending ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pulumi
import pytest

from components.network import gateway_presence
from components.network.gateway_presence import Gateway, GatewayMissingError

TRANSIT = Gateway(id="tgw-0123456789abcdef0", setting="network.connections.corporate.gateway")
PEERING = Gateway(id="pcx-0123456789abcdef0", setting="network.connections.ci.gateway")


class Ec2:
    """EC2 stub that gives the answers of a test; it records requests and messages to the user."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: dict[str, str] | str) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.told: list[str] = []
        self.answer = answer
        monkeypatch.setattr(pulumi.runtime, "invoke_async", self._invoke)
        monkeypatch.setattr(pulumi.log, "warn", lambda text, _resource: self.told.append(text))

    async def _invoke(self, token: str, args: dict[str, str], _options: pulumi.InvokeOptions) -> dict[str, str]:
        self.asked.append((token, args))
        await asyncio.sleep(0)
        if isinstance(self.answer, str):
            raise Exception(f"invoke of {token} failed: {self.answer}")  # noqa: TRY002, TRY004 - as the SDK raises it
        return self.answer


def run(gateway: Gateway, times: int = 1) -> list[str]:
    """Run the hook for several resources at once; returns the raised errors."""

    async def all_at_once() -> list[Any]:
        check = gateway_presence._Check(gateway, None)  # type: ignore[arg-type] # pyright: ignore
        args = pulumi.ResourceHookArgs("urn", "id", "name", "type", new_inputs={}, old_inputs=None)
        return await asyncio.gather(*(check.before(args) for _ in range(times)), return_exceptions=True)

    found = asyncio.run(all_at_once())
    assert all(each is None or isinstance(each, GatewayMissingError) for each in found), found
    return [str(each) for each in found if each is not None]


@pytest.mark.parametrize(
    ("gateway", "error"),
    [
        (TRANSIT, "no matching EC2 Transit Gateway found"),
        (TRANSIT, "api error InvalidTransitGatewayID.Malformed: Invalid id"),
        (PEERING, "no matching EC2 VPC Peering Connection found"),
        (PEERING, "InvalidVpcPeeringConnectionID.NotFound: The vpcPeeringConnection ID does not exist"),
    ],
)
def test_a_gateway_that_is_not_there_ends_with_the_setting_the_value_and_both_ways_out(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, error: str
):
    ec2 = Ec2(monkeypatch, error)
    [said] = run(gateway)
    assert said.startswith(f"{gateway.setting}: got '{gateway.id}'; there is no such ")
    assert "write the id of yours" in said
    assert "cluster.public_access: true with cluster.api_cidrs" in said
    assert ec2.told == []


def test_all_that_lead_through_a_gateway_end_and_aws_is_asked_once(monkeypatch: pytest.MonkeyPatch):
    ec2 = Ec2(monkeypatch, "no matching EC2 Transit Gateway found")
    assert len(run(TRANSIT, times=3)) == 3
    assert ec2.asked == [("aws:ec2transitgateway/getTransitGateway:getTransitGateway", {"id": TRANSIT.id})]


@pytest.mark.parametrize(("gateway", "answer"), [(TRANSIT, {"id": "tgw"}), (PEERING, {"status": "active"})])
def test_a_gateway_that_is_there_is_nothing_to_speak_of(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, answer: dict[str, str]
):
    ec2 = Ec2(monkeypatch, answer)
    assert (run(gateway), ec2.told) == ([], [])


def test_a_peering_connection_that_nobody_accepted_says_whose_turn_it_is(monkeypatch: pytest.MonkeyPatch):
    Ec2(monkeypatch, {"status": "pending-acceptance"})
    [said] = run(PEERING)
    assert "which is pending-acceptance: let the owner of the other VPC accept it" in said


def test_who_may_not_ask_is_warned_and_goes_on(monkeypatch: pytest.MonkeyPatch):
    ec2 = Ec2(monkeypatch, "UnauthorizedOperation: You are not authorized to perform ec2:DescribeTransitGateways")
    assert run(TRANSIT) == []
    [told] = ec2.told
    assert told.startswith(f"cannot tell whether {TRANSIT.id} is there: ")
