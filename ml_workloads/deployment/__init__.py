"""What the projects of an environment become: from each `project.yaml`, resources on AWS and objects on the cluster."""

from ml_workloads.deployment.project import WorkloadHandle
from ml_workloads.deployment.workloads import Workloads, WorkloadsArgs

__all__ = ["WorkloadHandle", "Workloads", "WorkloadsArgs"]
