"""Root of the settings: one object per environment, validated as a whole."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

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
    """Name of the environment; the stack has the same name."""
    region: Annotated[str, AfterValidator(region), Allowed("AWS region"), Field(json_schema_extra={"enum": [*REGIONS]})]
    """AWS region of everything in the environment."""
    protect: bool
    """If true, Pulumi rejects the deletion of stateful resources: keys, buckets, images, secrets, the database."""
    tags: TagSettings
    """Tags of every resource of the environment."""
    network: NetworkSettings
    """Address ranges, zones and internet access of the network."""
    cluster: ClusterSettings
    """The Kubernetes cluster: version, access to its API, teams and node pools."""
    keys: KeySettings = KeySettings()
    """KMS keys."""
    buckets: BucketSettings = BucketSettings()
    """Buckets of the data lake, models, features and access logs."""
    registry: RegistrySettings
    """Repositories of container images."""
    secrets: SecretSettings = SecretSettings()
    """Secrets by name. Their owners set the values in Secrets Manager."""
    database: DatabaseSettings
    """PostgreSQL instance of MLflow."""
    mlflow: MlflowSettings = MlflowSettings()
    """MLflow's server."""
    identities: IdentitySettings
    """GitHub repository that deploys, its roles, and the state of the stack."""
    notifications: NotificationSettings = NotificationSettings()
    """Recipients of budget reports and alarms."""
    budget: BudgetSettings
    """Monthly budget of the environment."""

    @model_validator(mode="after")
    def rules_across_sections_hold(self) -> Self:
        refuse(problems(self))
        return self
