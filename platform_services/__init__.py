"""What runs on the cluster before any workload does: its rules, classes, device plugins, the autoscaler and
MLflow."""

from platform_services.handles import PlatformHandle, Retention
from platform_services.network_policies import Ranges
from platform_services.platform import Platform, PlatformArgs

__all__ = ["Platform", "PlatformArgs", "PlatformHandle", "Ranges", "Retention"]
