"""VPC endpoints: DNS options, address type and private DNS are kept, and routes and interfaces are updated.

Deleted endpoints disappear at once.
"""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.utils import random_private_ip

from mlp_sandbox.emulator.services.ec2.tags import forget_tags
from mlp_sandbox.emulator.services.registry import Call, Result, extends


def _backend(call: Call) -> Any:
    return ec2_backends[call.identity.account][call.identity.region]


@extends("ec2", "CreateVpcEndpoint")
def create(call: Call) -> Result:
    """Create an endpoint and store the settings that moto drops, with AWS's defaults for those not sent."""
    params = call.params
    result = call.proceed()
    endpoint = _backend(call).vpc_end_points[result["VpcEndpoint"]["VpcEndpointId"]]
    kind = params.get("VpcEndpointType") or "Gateway"
    interface = kind == "Interface"
    endpoint.vpc_endpoint_type = kind
    endpoint.private_dns_enabled = interface and params.get("PrivateDnsEnabled", True)
    endpoint.ip_address_type = params.get("IpAddressType") or "ipv4"
    record_type = "ipv4" if interface else "service-defined"
    endpoint.dns_options = {"DnsRecordIpType": record_type} | (params.get("DnsOptions") or {})
    endpoint.requester_managed = False
    if interface and not params.get("SecurityGroupIds"):
        endpoint.security_group_ids = [_backend(call).get_default_security_group(endpoint.vpc_id).id]
    result["VpcEndpoint"] |= {
        "VpcEndpointType": kind,
        "PrivateDnsEnabled": endpoint.private_dns_enabled,
        "IpAddressType": endpoint.ip_address_type,
        "DnsOptions": endpoint.dns_options,
        "RequesterManaged": False,
    }
    return result


@extends("ec2", "ModifyVpcEndpoint")
def modify(call: Call) -> Result:
    """Change the settings that moto ignores, and remove the routes of removed route tables."""
    params = call.params
    backend = _backend(call)
    result = call.proceed()
    endpoint = backend.vpc_end_points[params["VpcEndpointId"]]
    if params.get("PrivateDnsEnabled") is not None:
        endpoint.private_dns_enabled = params["PrivateDnsEnabled"]
    if params.get("IpAddressType"):
        endpoint.ip_address_type = params["IpAddressType"]
    if params.get("DnsOptions"):
        endpoint.dns_options = endpoint.dns_options | params["DnsOptions"]
    if params.get("ResetPolicy"):
        endpoint.policy_document = (
            '{"Version": "2008-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", '
            '"Resource": "*"}]}'
        )
    if endpoint.vpc_endpoint_type == "Interface":
        _settle_interfaces(backend, endpoint)
    prefix_list = endpoint.destination_prefix_list_id
    for table in (params.get("RemoveRouteTableIds") or []) if prefix_list else []:
        _remove_route(backend, table, endpoint.id)
    for table in (params.get("AddRouteTableIds") or []) if prefix_list else []:
        if not any(_gateway_of(route) == endpoint.id for route in backend.get_route_table(table)._routes.values()):
            backend.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
    return result


@extends("ec2", "DeleteVpcEndpoints")
def delete(call: Call) -> Result:
    """Delete endpoints at once, together with their routes."""
    backend = _backend(call)
    unknown = [name for name in call.params.get("VpcEndpointIds", []) if name not in backend.vpc_end_points]
    for name in call.params.get("VpcEndpointIds", []):
        endpoint = backend.vpc_end_points.pop(name, None)
        if endpoint is None:
            continue
        for eni in endpoint.network_interface_ids or []:
            backend.enis.pop(eni, None)
        for table in endpoint.route_table_ids or []:
            _remove_route(backend, table, name)
        forget_tags(call, [name])
    return {
        "Unsuccessful": [
            {
                "ResourceId": name,
                "Error": {
                    "Code": "InvalidVpcEndpoint.NotFound",
                    "Message": f"The Vpc Endpoint Id '{name}' does not exist",
                },
            }
            for name in unknown
        ]
    }


def _settle_interfaces(backend: Any, endpoint: Any) -> None:
    """Keep one network interface per subnet; moto leaves the original interfaces."""
    known = {eni: backend.enis[eni].subnet.id for eni in endpoint.network_interface_ids if eni in backend.enis}
    for eni in [eni for eni, subnet in known.items() if subnet not in endpoint.subnet_ids]:
        del backend.enis[eni], known[eni]
    for subnet in [subnet for subnet in endpoint.subnet_ids if subnet not in known.values()]:
        known[backend.create_network_interface(subnet, random_private_ip()).id] = subnet
    endpoint.network_interface_ids = list(known)


def _gateway_of(route: Any) -> str:
    return str(getattr(getattr(route, "gateway", None), "id", ""))


def _remove_route(backend: Any, table: str, endpoint_id: str) -> None:
    routes: dict[str, Any] = backend.route_tables[table]._routes if table in backend.route_tables else {}
    for key in [key for key, route in routes.items() if _gateway_of(route) == endpoint_id]:
        del routes[key]
