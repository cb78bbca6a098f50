"""VPC of an environment: subnets, internet access, connections, private endpoints to AWS, and flow logs."""
