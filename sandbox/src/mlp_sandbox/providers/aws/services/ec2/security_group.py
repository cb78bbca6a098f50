"""Security groups without rules of their own, and the default group of a VPC, which is emptied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import NAMED, REGION, TAGS, Problems, ServiceHandler, given, present
from mlp_sandbox.providers.aws.services._waiting import refused
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live

GROUP_GONE = ("InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound", "InvalidGroupId.Malformed")
GROUPS = Api("security-group", "describe_security_groups", "GroupIds", "SecurityGroups", GROUP_GONE)


class SecurityGroup(Ec2Handler):
    token = "aws:ec2/securityGroup:SecurityGroup"
    tagged = True
    autoname = AutoName(max_length=255)
    api = GROUPS
    outputs = ("arn", "ownerId")
    unsupported: ClassVar[Mapping[str, str]] = {
        "egress": "leave inline rules out and declare each as a vpc.SecurityGroupEgressRule",
        "ingress": "leave inline rules out and declare each as a vpc.SecurityGroupIngressRule",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **REGION,
        **TAGS,
        "description": Field(replace=True, default="Managed by Pulumi"),
        "egress": Field(kind="set", computed=True),
        "ingress": Field(kind="set", computed=True),
        "revokeRulesOnDelete": Field(default=False, write_only=True),
        "vpcId": Field(replace=True, computed=True),
    }

    def check(self, inputs: Props) -> Problems:
        # An empty list is rejected, too: the official provider would then remove the rules that other resources add.
        problems = refused(inputs, self.unsupported, also_empty=True)
        if inputs.get("description") == "":
            problems.append(("description", "is empty: leave it out or say what the group is for"))
        return [*ServiceHandler.check(self, inputs), *problems]

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        id = ec2.create_security_group(
            GroupName=inputs["name"],
            Description=inputs.get("description", "Managed by Pulumi"),
            **given(VpcId=inputs.get("vpcId")),
            **self.tagging(inputs),
        )["GroupId"]
        aws.created(id)
        # AWS gives a new group a rule that allows all egress. As the official provider does, only declared traffic is
        # allowed.
        _revoke(ec2, own=id, ingress=False)
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        # Rules are resources of their own. As outputs of the group they would change without an update of the group.
        return {
            "arn": live["SecurityGroupArn"],
            "ownerId": live["OwnerId"],
            "name": live["GroupName"],
            "description": live["Description"],
            **present(vpcId=live.get("VpcId")),
        }

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        ec2 = self.client(aws, state)
        if state.get("revokeRulesOnDelete"):
            _revoke(ec2, own=id)
            _revoke_references(ec2, id)
        ec2.delete_security_group(GroupId=id)


class DefaultSecurityGroup(Ec2Handler):
    """Default group of a VPC: creation adopts and empties it, deletion only removes it from the state."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    tagged = True
    api = GROUPS
    outputs = ("arn", "description", "name", "ownerId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "egress": Field(kind="set", computed=True),
        "ingress": Field(kind="set", computed=True),
        "revokeRulesOnDelete": Field(default=False, write_only=True),
        "vpcId": Field(replace=True, computed=True),
    }

    def check(self, inputs: Props) -> Problems:
        fix = "is not empty: the default group shall let nothing through; use a SecurityGroup of your own for rules"
        return [(name, fix) for name in ("ingress", "egress") if inputs.get(name)]

    def create(self, aws: Aws, inputs: Props) -> str:
        ec2 = self.client(aws, inputs)
        vpc = inputs.get("vpcId") or _default_vpc(ec2)
        filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        found = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        if not found:
            raise ValueError(f"the VPC {vpc} has no default security group: does it exist in this region?")
        id = str(found[0]["GroupId"])
        aws.created(id)
        # Upstream's order: a principal that may only change resources with the environment's tags has to tag it first.
        self.retag(aws, id, {}, inputs)
        _revoke(ec2, own=id)
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        return {
            "arn": live["SecurityGroupArn"],
            "ownerId": live["OwnerId"],
            "name": live["GroupName"],
            "description": live["Description"],
            "vpcId": live["VpcId"],
            "ingress": [_rule(permission) for permission in live["IpPermissions"]],
            "egress": [_rule(permission) for permission in live["IpPermissionsEgress"]],
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        _revoke(self.client(aws, new), own=id, ingress="ingress" in changed, egress="egress" in changed)

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        """Do nothing, because AWS deletes the group only with its VPC."""


def _revoke(ec2: Any, *, own: str, ingress: bool = True, egress: bool = True) -> None:
    """Remove the rules of a group."""
    for rule in _rules(ec2, Filters=[{"Name": "group-id", "Values": [own]}]):
        if egress if rule["IsEgress"] else ingress:
            _revoke_rule(ec2, rule)


def _revoke_references(ec2: Any, group: str) -> None:
    """Remove the rules of other groups that name this one, because AWS does not delete a group that a rule names."""
    for rule in _rules(ec2):
        if rule.get("ReferencedGroupInfo", {}).get("GroupId") == group:
            _revoke_rule(ec2, rule)


def _rules(ec2: Any, **arguments: Any) -> list[Live]:
    pages = ec2.get_paginator("describe_security_group_rules").paginate(**arguments)
    return [rule for page in pages for rule in page["SecurityGroupRules"]]


def _revoke_rule(ec2: Any, rule: Live) -> None:
    revoke = ec2.revoke_security_group_egress if rule["IsEgress"] else ec2.revoke_security_group_ingress
    revoke(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])


def _rule(permission: Live) -> Props:
    return {
        "protocol": permission["IpProtocol"],
        "fromPort": permission.get("FromPort", 0),
        "toPort": permission.get("ToPort", 0),
        **present(
            cidrBlocks=[item["CidrIp"] for item in permission.get("IpRanges", [])],
            ipv6CidrBlocks=[item["CidrIpv6"] for item in permission.get("Ipv6Ranges", [])],
            prefixListIds=[item["PrefixListId"] for item in permission.get("PrefixListIds", [])],
            securityGroups=[item["GroupId"] for item in permission.get("UserIdGroupPairs", [])],
        ),
    }


def _default_vpc(ec2: Any) -> str:
    for vpc in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        return str(vpc["VpcId"])
    raise NotFoundError("there is no default VPC in this region: give vpcId")


HANDLERS: list[Handler] = [SecurityGroup(), DefaultSecurityGroup()]
