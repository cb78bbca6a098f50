"""VPC of an environment: subnets, internet access, connections, private endpoints to AWS, and flow logs."""

from components.network.arguments import NetworkArgs, NetworkHandle
from components.network.connections import Outside
from components.network.network import Network

__all__ = ["Network", "NetworkArgs", "NetworkHandle", "Outside"]
