"""Real Kubernetes clusters behind the emulated EKS API: control planes, nodes, add-ons and images."""
