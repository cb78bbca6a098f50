"""Deployment of the projects of an environment: each `project.yaml` becomes AWS resources and Kubernetes objects."""

from ml_workloads.deployment.project import WorkloadHandle
from ml_workloads.deployment.workloads import Workloads, WorkloadsArgs

__all__ = ["WorkloadHandle", "Workloads", "WorkloadsArgs"]
