"""Flow logs: destination options, folders in buckets, log groups named by their ARN."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.logs.models import logs_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_DEFAULT_OPTIONS = {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False}


@extends("ec2", "CreateFlowLogs")
def create_flow_logs(call: Call) -> Result:
    """Create flow logs. moto gets the bucket alone; the record then shows the destination as sent."""
    params = call.params
    destination = str(params.get("LogDestination") or "")
    interval = params.get("MaxAggregationInterval") or 600
    if interval not in {60, 600}:
        raise Fault("InvalidParameter", f"Invalid Flow Log Max Aggregation Interval {interval}: it must be 60 or 600")
    to_bucket = params.get("LogDestinationType") == "s3"
    request = call.altered(LogDestination=destination.split("/", 1)[0]) if to_bucket else call.request
    result = call.proceed(request)
    created: Any = ec2_backends[call.identity.account][call.identity.region].flow_logs
    for identifier in result.get("FlowLogIds", []):
        flow_log = created[identifier]
        if destination:
            flow_log.log_destination = destination
        if to_bucket:
            flow_log.destination_options = _DEFAULT_OPTIONS | (params.get("DestinationOptions") or {})
        elif destination.startswith("arn:") and ":log-group:" in destination:
            _deliver_to_group(call, flow_log, destination.split(":log-group:", 1)[1].removesuffix(":*"))
    return result


def _deliver_to_group(call: Call, flow_log: Any, group: str) -> None:
    flow_log.log_group_name = group
    if group in logs_backends[call.identity.account][call.identity.region].groups:
        flow_log.deliver_logs_status, flow_log.deliver_logs_error_message = "SUCCESS", None
