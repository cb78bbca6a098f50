"""The root of the settings: one object per environment, checked as a whole."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from stacks.settings.buckets import BucketSettings
from stacks.settings.budget import BudgetSettings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.database import DatabaseSettings
from stacks.settings.identities import IdentitySettings
from stacks.settings.keys import KeySettings
from stacks.settings.mlflow import MlflowSettings
from stacks.settings.network import NetworkSettings
from stacks.settings.notifications import NotificationSettings
from stacks.settings.regions import REGIONS
from stacks.settings.registry import RegistrySettings
from stacks.settings.rules import problems
from stacks.settings.secrets import SecretSettings
from stacks.settings.tags import TagSettings
from validation.base import Allowed, Section, refuse


def region(text: str) -> str:
    if text not in REGIONS:
        raise ValueError(f"write a region of AWS that has EKS: {', '.join(REGIONS)}")
    return text


class PlatformSettings(Section):
    environment: Literal["dev", "staging", "prod"]
    """Which environment this is; the stack has the same name."""
    region: Annotated[str, AfterValidator(region), Allowed("AWS region")]
    """AWS region of everything in the environment."""
    protect: bool
    """Whether Pulumi refuses to delete what holds data: keys, buckets, images, secrets, the database."""
    tags: TagSettings
    network: NetworkSettings
    cluster: ClusterSettings
    keys: KeySettings = KeySettings()
    buckets: BucketSettings = BucketSettings()
    registry: RegistrySettings
    secrets: SecretSettings = SecretSettings()
    database: DatabaseSettings
    mlflow: MlflowSettings = MlflowSettings()
    identities: IdentitySettings
    notifications: NotificationSettings = NotificationSettings()
    budget: BudgetSettings

    @model_validator(mode="after")
    def rules_across_sections_hold(self) -> Self:
        refuse(problems(self))
        return self
