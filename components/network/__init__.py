"""The VPC of an environment: subnets, ways in and out, private endpoints to AWS, and a record of its traffic."""

from components.network.arguments import NetworkArgs, NetworkHandle
from components.network.connections import Outside
from components.network.network import Network

__all__ = ["Network", "NetworkArgs", "NetworkHandle", "Outside"]
