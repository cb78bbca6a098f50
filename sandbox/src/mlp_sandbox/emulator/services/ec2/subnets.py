"""Subnets: the attributes that moto does not change."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.subnets import Subnet

from mlp_sandbox.emulator.services.registry import Call, Result, extends

# AWS includes it in every description of a subnet.
_subnet: Any = Subnet
_subnet.enable_dns64 = False

_DNS_RECORDS = {
    "EnableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecord",
    "EnableResourceNameDnsAAAARecordOnLaunch": "EnableResourceNameDnsAAAARecord",
}


@extends("ec2", "ModifySubnetAttribute")
def modify(call: Call) -> Result:
    """Change the attributes that moto ignores, besides those that it changes."""
    result = call.proceed()
    params = call.params
    subnet: Any = ec2_backends[call.identity.account][call.identity.region].get_subnet(params["SubnetId"])
    if params.get("EnableDns64"):
        subnet.enable_dns64 = bool(params["EnableDns64"].get("Value"))
    if params.get("PrivateDnsHostnameTypeOnLaunch"):
        subnet.private_dns_name_options_on_launch["HostnameType"] = params["PrivateDnsHostnameTypeOnLaunch"]
    for sent, shown in _DNS_RECORDS.items():
        if params.get(sent):
            subnet.private_dns_name_options_on_launch[shown] = bool(params[sent].get("Value"))
    return result
