"""RDS subnet groups and parameter groups."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    REGION,
    TAGS,
    Problems,
    ServiceHandler,
    change_tags,
    from_pairs,
    missing,
    one_of,
    present,
    to_pairs,
)

MANAGED = "Managed by Pulumi"
BATCH = 20  # parameters that one call takes
SUBNETS_GONE = ("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound")
PARAMETERS_GONE = ("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault")


class RdsHandler(ServiceHandler, ABC):
    """Type of RDS, which is tagged by ARN."""

    service = "rds"
    tagged = True

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        name = inputs.get(self.autoname.field) if self.autoname else None
        if self.autoname and isinstance(name, str) and name != name.lower():
            problems.append((self.autoname.field, f"is {name!r}: RDS names have lowercase letters only"))
        return problems

    def tags(self, rds: Any, arn: str) -> dict[str, str]:
        tags = from_pairs(rds.list_tags_for_resource(ResourceName=arn)["TagList"])
        return {key: value for key, value in tags.items() if not key.startswith("aws:")}

    def retag(self, rds: Any, arn: str, old: Props, new: Props) -> None:
        change_tags(
            old,
            new,
            tag=lambda tags: rds.add_tags_to_resource(ResourceName=arn, Tags=to_pairs(tags)),
            untag=lambda keys: rds.remove_tags_from_resource(ResourceName=arn, TagKeys=keys),
        )


class SubnetGroup(RdsHandler):
    token = "aws:rds/subnetGroup:SubnetGroup"
    autoname = AutoName(lowercase=True)
    outputs = ("arn", "supportedNetworkTypes", "vpcId")
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **REGION,
        **TAGS,
        "description": Field(default=MANAGED),
        "subnetIds": Field(kind="set"),
    }

    def create(self, aws: Aws, inputs: Props) -> str:
        reply = self.client(aws, inputs).create_db_subnet_group(
            DBSubnetGroupName=inputs["name"],
            DBSubnetGroupDescription=inputs.get("description", MANAGED),
            SubnetIds=inputs["subnetIds"],
            Tags=to_pairs(inputs.get("tags")),
        )
        return str(reply["DBSubnetGroup"]["DBSubnetGroupName"])

    @missing(*SUBNETS_GONE)
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        rds = self.client(aws, inputs)
        group = rds.describe_db_subnet_groups(DBSubnetGroupName=id)["DBSubnetGroups"][0]
        return {
            "arn": group["DBSubnetGroupArn"],
            "name": group["DBSubnetGroupName"],
            "description": group["DBSubnetGroupDescription"],
            "region": self.region(aws, inputs),
            "subnetIds": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
            "supportedNetworkTypes": group.get("SupportedNetworkTypes", []),
            "vpcId": group["VpcId"],
            **present(tags=self.tags(rds, group["DBSubnetGroupArn"])),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        rds = self.client(aws, new)
        if changed & {"description", "subnetIds"}:
            rds.modify_db_subnet_group(
                DBSubnetGroupName=id,
                DBSubnetGroupDescription=new.get("description", MANAGED),
                SubnetIds=new["subnetIds"],
            )
        if "tags" in changed:
            arn = rds.describe_db_subnet_groups(DBSubnetGroupName=id)["DBSubnetGroups"][0]["DBSubnetGroupArn"]
            self.retag(rds, arn, old, new)

    @missing(*SUBNETS_GONE)
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_db_subnet_group(DBSubnetGroupName=id)


class ParameterGroup(RdsHandler):
    token = "aws:rds/parameterGroup:ParameterGroup"
    autoname = AutoName(lowercase=True)
    outputs = ("arn",)
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **REGION,
        **TAGS,
        "description": Field(replace=True, default=MANAGED),
        "family": Field(replace=True),
        "parameters": Field(kind="set"),
        "skipDestroy": Field(default=False, write_only=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        parameters: Any = inputs.get("parameters")
        for parameter in parameters if isinstance(parameters, list) else []:
            if isinstance(parameter, dict):
                found = one_of(parameter, "applyMethod", ("immediate", "pending-reboot"))
                problems += [("parameters", f"applyMethod of {parameter.get('name')} {reason}") for _, reason in found]
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        rds = self.client(aws, inputs)
        id = rds.create_db_parameter_group(
            DBParameterGroupName=inputs["name"],
            DBParameterGroupFamily=inputs["family"],
            Description=inputs.get("description", MANAGED),
            Tags=to_pairs(inputs.get("tags")),
        )["DBParameterGroup"]["DBParameterGroupName"]
        aws.created(id)
        _modify(rds, id, _by_name(inputs))
        return str(id)

    @missing(*PARAMETERS_GONE)
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        rds = self.client(aws, inputs)
        group = _find_parameters(rds, id)
        pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=id, Source="user")
        live = [parameter for page in pages for parameter in page["Parameters"]]
        return {
            "arn": group["DBParameterGroupArn"],
            "name": group["DBParameterGroupName"],
            "family": group["DBParameterGroupFamily"],
            "description": group["Description"],
            "region": self.region(aws, inputs),
            **present(
                tags=self.tags(rds, group["DBParameterGroupArn"]),
                parameters=[
                    present(
                        name=parameter["ParameterName"],
                        value=parameter.get("ParameterValue"),
                        applyMethod=parameter.get("ApplyMethod"),
                    )
                    for parameter in live
                ],
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        rds = self.client(aws, new)
        if "parameters" in changed:
            before, after = _by_name(old), _by_name(new)
            _modify(rds, id, {name: value for name, value in after.items() if before.get(name) != value})
            gone = [parameter for name, parameter in before.items() if name not in after]
            for batch in _batches(gone):
                named = [{key: item[key] for key in ("ParameterName", "ApplyMethod")} for item in batch]
                rds.reset_db_parameter_group(DBParameterGroupName=id, ResetAllParameters=False, Parameters=named)
        if "tags" in changed:
            self.retag(rds, _find_parameters(rds, id)["DBParameterGroupArn"], old, new)

    @missing(*PARAMETERS_GONE)
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        if not state.get("skipDestroy"):
            self.client(aws, state).delete_db_parameter_group(DBParameterGroupName=id)


def _find_parameters(rds: Any, id: str) -> dict[str, Any]:
    found = rds.describe_db_parameter_groups(DBParameterGroupName=id)["DBParameterGroups"]
    if not found:
        raise NotFoundError(f"parameter group {id}")
    return found[0]


def _by_name(inputs: Props) -> dict[str, dict[str, Any]]:
    return {
        parameter["name"]: {
            "ParameterName": parameter["name"],
            "ParameterValue": str(parameter["value"]),
            "ApplyMethod": parameter.get("applyMethod", "immediate"),
        }
        for parameter in inputs.get("parameters") or []
    }


def _modify(rds: Any, id: str, parameters: Mapping[str, dict[str, Any]]) -> None:
    for batch in _batches(list(parameters.values())):
        rds.modify_db_parameter_group(DBParameterGroupName=id, Parameters=batch)


def _batches(items: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


HANDLERS: list[Handler] = [SubnetGroup(), ParameterGroup()]
