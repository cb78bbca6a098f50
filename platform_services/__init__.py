"""Services on the cluster that start before any workload: rules, classes, device plugins, the autoscaler and MLflow."""

from platform_services.handles import PlatformHandle, PlatformOrder, Retention
from platform_services.network_policies import Ranges
from platform_services.platform import Platform, PlatformArgs

__all__ = ["Platform", "PlatformArgs", "PlatformHandle", "PlatformOrder", "Ranges", "Retention"]
