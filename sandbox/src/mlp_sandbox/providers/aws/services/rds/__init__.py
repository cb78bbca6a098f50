"""Resource types and functions of RDS."""
