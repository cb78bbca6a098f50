"""Sections of the settings of one environment. Each section is the specification that a component takes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.buckets.spec import BucketSpec
from components.budget.spec import BudgetSpec
from components.ci.spec import IdentitySpec
from components.database.spec import DatabaseSpec
from components.eks.spec import ClusterSpec
from components.keys import KeySpec
from components.network.spec import NetworkSpec
from components.notifications.spec import NotificationSpec
from components.registry import RegistrySpec
from components.secrets import SecretSpec
from platform_services.mlflow.spec import MlflowSpec
from stacks.settings.regions import REGIONS
from stacks.settings.tags import TagSettings
from validation.base import Allowed, Section


def region(text: str) -> str:
    if text not in REGIONS:
        raise ValueError(f"write a region of AWS that has EKS: {', '.join(REGIONS)}")
    return text


class PlatformSections(Section):
    environment: Literal["dev", "staging", "prod"]
    """Name of the environment; the stack has the same name."""
    region: Annotated[str, AfterValidator(region), Allowed("AWS region"), Field(json_schema_extra={"enum": [*REGIONS]})]
    """AWS region of everything in the environment."""
    protect: bool
    """If true, Pulumi rejects the deletion of stateful resources: keys, buckets, images, secrets, the database."""
    tags: TagSettings
    """Tags of every resource of the environment."""
    network: NetworkSpec
    """Address ranges, zones and internet access of the network."""
    cluster: ClusterSpec
    """The Kubernetes cluster: version, access to its API, teams and node pools."""
    keys: KeySpec = KeySpec()
    """KMS keys."""
    buckets: BucketSpec = BucketSpec()
    """Buckets of the data lake, models, features and access logs."""
    registry: RegistrySpec
    """Repositories of container images."""
    secrets: SecretSpec = SecretSpec()
    """Secrets by name. Their owners set the values in Secrets Manager."""
    database: DatabaseSpec
    """PostgreSQL instance of MLflow."""
    mlflow: MlflowSpec = MlflowSpec()
    """MLflow's server."""
    identities: IdentitySpec
    """GitHub repository that deploys, its roles, and the state of the stack."""
    notifications: NotificationSpec = NotificationSpec()
    """Recipients of budget reports and alarms."""
    budget: BudgetSpec
    """Monthly budget of the environment."""
