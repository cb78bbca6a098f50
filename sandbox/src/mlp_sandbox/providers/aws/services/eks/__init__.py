"""Resource types and functions of EKS."""
