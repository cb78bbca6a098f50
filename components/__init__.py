"""AWS building blocks, one component each: arguments in, outputs out. No Kubernetes objects and no settings."""
