"""Providers, built once per environment and inherited by every component."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from stacks.settings import PlatformSettings


def identifying_tags(settings: PlatformSettings) -> Mapping[str, str]:
    """The tags that tell this environment's resources from all others; permissions and budgets rely on them."""
    return {"project": pulumi.get_project(), "environment": settings.environment}


def default_tags(settings: PlatformSettings) -> Mapping[str, str]:
    return {
        **identifying_tags(settings),
        "team": settings.tags.team,
        "cost-center": settings.tags.cost_center,
        "owner": settings.tags.owner,
        "managed-by": "pulumi",
    }


def aws_provider(settings: PlatformSettings) -> aws.Provider:
    """Credentials are whatever AWS's own tools would use; none are configured."""
    return aws.Provider(
        "aws",
        region=settings.region,
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(default_tags(settings))),
    )
