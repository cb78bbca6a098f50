"""NAT gateways: a deleted one stays listed for a while, as on AWS, but nothing finds it by its tags any more."""

from moto.ec2.models import ec2_backends

from sandbox.emulator.extensions.registry import Call, Result, extends


@extends("ec2", "DeleteNatGateway")
def delete_nat_gateway(call: Call) -> Result:
    """Drop the tags; moto would list the deleted gateway under them for ever."""
    result = call.proceed()
    backend = ec2_backends[call.identity.account][call.identity.region]
    backend.tags.pop(call.params["NatGatewayId"], None)
    return result
