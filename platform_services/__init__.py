"""Services on the cluster that start before any workload: rules, classes, device plugins, the autoscaler and MLflow."""
