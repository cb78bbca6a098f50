"""Resource types and functions of EC2."""
