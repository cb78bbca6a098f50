"""Ids of the transit gateways that another account shares with the local one; committed settings name the first."""

SHARED_GATEWAYS = tuple(f"tgw-0123456789abcdef{number:x}" for number in range(16))
