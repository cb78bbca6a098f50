"""Section `cluster.autoscaler`: Cluster Autoscaler, which adds and removes nodes.

It lies here and not beside the service, because the section `cluster` contains it, and components import no services.
"""

from pydantic import Field

from validation.base import Section


class AutoscalerSpec(Section):
    scale_down_minutes: int = Field(default=10, ge=1, le=1440)
    """Minutes that a node must be idle before the autoscaler removes it."""
