"""Rules of security groups, one resource each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, between, given, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

# Input: field of a rule for this kind of peer.
PEERS = {
    "cidrIpv4": "CidrIpv4",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
    "referencedSecurityGroupId": "ReferencedGroupId",
}
NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
EVERYTHING = "-1"
GONE = ("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound")


class _Rule(Ec2Handler):
    tagged = True
    api = Api(
        "security-group-rule", "describe_security_group_rules", "SecurityGroupRuleIds", "SecurityGroupRules", GONE
    )
    outputs = ("arn", "securityGroupRuleId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        **{name: Field() for name in PEERS},
        "description": Field(),
        "fromPort": Field(),
        "ipProtocol": Field(),
        "securityGroupId": Field(replace=True),
        "toPort": Field(),
    }
    egress: ClassVar[bool]

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *between(inputs, "fromPort", -1, 65535)]
        problems += between(inputs, "toPort", -1, 65535)
        peers = [name for name in PEERS if name in inputs]
        if len(peers) != 1:
            found = f"{' and '.join(peers)} are given" if peers else "none is given"
            problems.append((peers[0] if peers else "cidrIpv4", f"a rule has one of {', '.join(PEERS)}; {found}"))
        protocol = inputs.get("ipProtocol")
        if isinstance(protocol, str):
            for name in ("fromPort", "toPort"):
                if _protocol(protocol) == EVERYTHING and name in inputs:
                    problems.append((name, "means nothing with ipProtocol '-1', which is every port: leave it out"))
                elif _protocol(protocol) not in (EVERYTHING, "icmpv6") and name not in inputs:
                    problems.append((name, f"is missing: ipProtocol '{protocol}' needs fromPort and toPort"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        authorize = ec2.authorize_security_group_egress if self.egress else ec2.authorize_security_group_ingress
        reply = authorize(
            GroupId=inputs["securityGroupId"], IpPermissions=[_permission(inputs)], **self.tagging(inputs)
        )
        return str(reply["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def find(self, aws: Aws, id: str, props: Props) -> Live:
        live = super().find(aws, id, props)
        if live["IsEgress"] != self.egress:
            raise NotFoundError(f"{id} is a rule of the other direction")
        return live

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        owner = live.get("GroupOwnerId") or aws.account_id()
        wanted, protocol = inputs.get("ipProtocol"), live["IpProtocol"]
        # AWS returns -1 for ports that do not count; for ICMP -1 means every type or code.
        ports = {"fromPort": live.get("FromPort"), "toPort": live.get("ToPort")}
        ports = {name: None if port == -1 and name not in inputs else port for name, port in ports.items()}
        return {
            "arn": arn(self.region(aws, inputs), owner, f"security-group-rule/{id}"),
            "securityGroupRuleId": id,
            "securityGroupId": live["GroupId"],
            "ipProtocol": wanted if wanted and _protocol(wanted) == _protocol(protocol) else protocol,
            **present(
                description=live.get("Description"),
                cidrIpv4=live.get("CidrIpv4"),
                cidrIpv6=live.get("CidrIpv6"),
                prefixListId=live.get("PrefixListId"),
                referencedSecurityGroupId=live.get("ReferencedGroupInfo", {}).get("GroupId"),
            ),
            **given(**ports),
        }

    def replaces(self, old: Props, new: Props, changed: set[str]) -> set[str]:
        """Replace the rule when its kind of peer changes: AWS cannot turn a rule for a range into one for a group."""
        peers = changed & PEERS.keys()
        return peers if len(peers) > 1 else set()

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        peer = _peer(new)
        rule = {
            "IpProtocol": new["ipProtocol"],
            PEERS[peer]: new[peer],
            "Description": new.get("description", ""),
            **given(FromPort=new.get("fromPort"), ToPort=new.get("toPort")),
        }
        self.client(aws, new).modify_security_group_rules(
            GroupId=new["securityGroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": rule}],
        )

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        ec2 = self.client(aws, state)
        revoke = ec2.revoke_security_group_egress if self.egress else ec2.revoke_security_group_ingress
        revoke(GroupId=self.find(aws, id, state)["GroupId"], SecurityGroupRuleIds=[id])


class SecurityGroupIngressRule(_Rule):
    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    egress = False


class SecurityGroupEgressRule(_Rule):
    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    egress = True


def _permission(inputs: Props) -> dict[str, Any]:
    said = given(Description=inputs.get("description"))
    peer = _peer(inputs)
    value = inputs[peer]
    match peer:
        case "cidrIpv4":
            peers: dict[str, Any] = {"IpRanges": [{"CidrIp": value, **said}]}
        case "cidrIpv6":
            peers = {"Ipv6Ranges": [{"CidrIpv6": value, **said}]}
        case "prefixListId":
            peers = {"PrefixListIds": [{"PrefixListId": value, **said}]}
        case _:
            peers = {"UserIdGroupPairs": [{"GroupId": value, **said}]}
    ports = given(FromPort=inputs.get("fromPort"), ToPort=inputs.get("toPort"))
    return {"IpProtocol": inputs["ipProtocol"], **ports, **peers}


def _peer(inputs: Props) -> str:
    return next(name for name in PEERS if inputs.get(name))


def _protocol(value: str) -> str:
    return NUMBERS.get(value.lower(), value.lower())


HANDLERS: list[Handler] = [SecurityGroupIngressRule(), SecurityGroupEgressRule()]
