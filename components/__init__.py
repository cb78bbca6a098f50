"""Building blocks of AWS, one component each. No Kubernetes objects, no settings: arguments in, outputs out."""
