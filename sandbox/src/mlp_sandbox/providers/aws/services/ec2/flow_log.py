"""Flow logs, to CloudWatch and to S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, given, one_of, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

# Input that names the watched resource: (the API's type, the prefix of its ids).
WATCHED = {
    "eniId": ("NetworkInterface", "eni-"),
    "subnetId": ("Subnet", "subnet-"),
    "transitGatewayAttachmentId": ("TransitGatewayAttachment", "tgw-attach-"),
    "transitGatewayId": ("TransitGateway", "tgw-"),
    "vpcId": ("VPC", "vpc-"),
}
DESTINATION_OPTIONS = {
    "fileFormat": "FileFormat",
    "hiveCompatiblePartitions": "HiveCompatiblePartitions",
    "perHourPartition": "PerHourPartition",
}
DESTINATIONS = ("cloud-watch-logs", "s3", "kinesis-data-firehose")


class FlowLog(Ec2Handler):
    token = "aws:ec2/flowLog:FlowLog"
    tagged = True
    api = Api("vpc-flow-log", "describe_flow_logs", "FlowLogIds", "FlowLogs", ("InvalidFlowLogId.NotFound",))
    outputs = ("arn",)
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        **{name: Field(replace=True) for name in WATCHED},
        "deliverCrossAccountRole": Field(replace=True),
        "destinationOptions": Field(replace=True),
        "iamRoleArn": Field(replace=True),
        "logDestination": Field(replace=True, computed=True),
        "logDestinationType": Field(replace=True, default="cloud-watch-logs"),
        "logFormat": Field(replace=True, computed=True),
        "maxAggregationInterval": Field(replace=True, default=600),
        "regionalNatGatewayId": Field(replace=True),
        "tagFieldSpecifications": Field(replace=True),
        "trafficType": Field(replace=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "regionalNatGatewayId": "an emulated account has zonal NAT gateways only; watch the VPC",
        "tagFieldSpecifications": "an emulated account writes no flow records; leave it out",
    }

    def check(self, inputs: Props) -> Problems:
        problems = [
            *super().check(inputs),
            *one_of(inputs, "trafficType", ("ACCEPT", "REJECT", "ALL")),
            *one_of(inputs, "logDestinationType", DESTINATIONS),
            *one_of(inputs, "maxAggregationInterval", (60, 600)),
        ]
        watched = [name for name in WATCHED if name in inputs]
        if len(watched) != 1:
            said = f"{' and '.join(watched)} are given" if watched else "none is given"
            problems.append((watched[0] if watched else "vpcId", f"give one of {', '.join(WATCHED)}; {said}"))
        elif "trafficType" not in inputs and not watched[0].startswith("transit"):
            problems.append(("trafficType", f"is missing: {watched[0]} needs one of ACCEPT, REJECT, ALL"))
        if "destinationOptions" in inputs and inputs.get("logDestinationType", DESTINATIONS[0]) == DESTINATIONS[0]:
            problems.append(("destinationOptions", "apply to files in S3: leave them out or log to s3"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        name = next(name for name in WATCHED if inputs.get(name))
        reply = self.client(aws, inputs).create_flow_logs(
            ResourceIds=[inputs[name]],
            ResourceType=WATCHED[name][0],
            LogDestinationType=inputs.get("logDestinationType", DESTINATIONS[0]),
            MaxAggregationInterval=inputs.get("maxAggregationInterval", 600),
            **given(
                TrafficType=inputs.get("trafficType"),
                LogDestination=_destination(inputs.get("logDestination")),
                LogFormat=inputs.get("logFormat"),
                DeliverLogsPermissionArn=inputs.get("iamRoleArn"),
                DeliverCrossAccountRole=inputs.get("deliverCrossAccountRole"),
                DestinationOptions=_options(inputs),
            ),
            **self.tagging(inputs),
        )
        for failure in reply.get("Unsuccessful", []):
            error = failure["Error"]
            raise ValueError(f"CreateFlowLogs: {error['Code']}: {error['Message']}")
        return str(reply["FlowLogIds"][0])

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        watched = str(live["ResourceId"])
        # The longest matching prefix: `tgw-attach-` begins like `tgw-`.
        name = max(
            (n for n, (_, start) in WATCHED.items() if watched.startswith(start)), key=lambda n: len(WATCHED[n][1])
        )
        destination, wanted = live.get("LogDestination"), inputs.get("logDestination")
        options = live.get("DestinationOptions", {})
        return {
            "arn": arn(self.region(aws, inputs), aws.account_id(), f"vpc-flow-log/{id}"),
            name: watched,
            "logDestinationType": live["LogDestinationType"],
            "maxAggregationInterval": live["MaxAggregationInterval"],
            **present(
                deliverCrossAccountRole=live.get("DeliverCrossAccountRole"),
                destinationOptions={n: options[key] for n, key in DESTINATION_OPTIONS.items() if key in options},
                iamRoleArn=live.get("DeliverLogsPermissionArn"),
                logDestination=wanted if wanted and _destination(wanted) == destination else destination,
                logFormat=live.get("LogFormat"),
                trafficType=live.get("TrafficType"),
            ),
        }

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        reply = self.client(aws, state).delete_flow_logs(FlowLogIds=[id])
        for failure in reply.get("Unsuccessful", []):
            error = failure["Error"]
            if error["Code"] not in self.api.gone:
                raise ValueError(f"DeleteFlowLogs: {error['Code']}: {error['Message']}")


def _destination(name: Any) -> str | None:
    """Return a log group's ARN without the `:*` that some of its sources add and flow logs reject."""
    return None if name is None else str(name).removesuffix(":*")


def _options(inputs: Props) -> dict[str, Any] | None:
    options = inputs.get("destinationOptions") or {}
    return {key: options[name] for name, key in DESTINATION_OPTIONS.items() if name in options} or None


HANDLERS: list[Handler] = [FlowLog()]
