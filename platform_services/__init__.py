"""What runs on the cluster before any workload does: its rules, classes, device plugins and the autoscaler."""

from platform_services.handles import PlatformHandle
from platform_services.platform import Platform, PlatformArgs

__all__ = ["Platform", "PlatformArgs", "PlatformHandle"]
