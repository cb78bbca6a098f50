"""Network of a cluster: its bridge, the routes to databases, and security groups for pods."""
