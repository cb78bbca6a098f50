"""EBS volumes for persistent volume claims."""
