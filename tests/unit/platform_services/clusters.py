"""A cluster as the layer below would provide it."""

from typing import Any

import pulumi

from components.account import Account
from components.buckets.buckets import BucketHandle
from components.database.database import DatabaseHandle
from components.eks.arguments import ClusterHandle, NodePool
from components.eks.autoscaler_spec import AutoscalerSpec
from components.eks.pool_spec import NodePoolSpec
from platform_services.handles import Retention
from platform_services.mlflow.spec import MlflowSpec
from platform_services.network_policies import Ranges
from platform_services.platform import PlatformArgs

ACCOUNT = Account(id="123456789012", partition="aws", region="us-east-1")


def pool(name: str, instance_type: str, accelerator: str = "none", **others: Any) -> NodePool:
    spec = {"instance_types": [instance_type], "accelerator": accelerator, "max_size": 4, **others}
    return NodePool(
        name=name,
        spec=NodePoolSpec.model_validate(spec),
        default_zones=("us-east-1a",),
        default_version="1.36",
    )


RANGES = Ranges(vpc="10.0.0.0/16", endpoints=("10.0.0.0/20",), kubernetes=("172.20.0.1/32", "10.0.20.0/22"))
GENERAL = pool("general", "m7i.large")


def handle(*pools: NodePool, version: str = "1.36", exists: bool = True) -> ClusterHandle:
    """Return the cluster's handle; with `exists=False` all its values are unknown.

    Call it inside the program: outputs belong to the loop that creates them.
    """

    def known(text: str) -> pulumi.Output[Any]:
        return pulumi.Output.from_input(text if exists else pulumi.UNKNOWN)

    return ClusterHandle(
        name=known("test-eks"),
        plain_name="test-eks",
        version=version,
        region="us-east-1",
        endpoint=known("https://cluster"),
        certificate_authority=known("Y2E="),
        security_group_id=known("sg-cluster"),
        oidc_issuer=known("https://issuer"),
        oidc_provider_arn=known("arn:issuer"),
        account=ACCOUNT,
        pools=(GENERAL, *pools),
        volume_key_arn=known("arn:data-key"),
        group_roles={"platform": known("role-of-platform"), "team:growth": known("role-of-growth")},
    )


def platform_args(cluster: ClusterHandle) -> PlatformArgs:
    """Return the foundation's values besides the cluster. Call it inside the program as well."""

    def known(text: str) -> pulumi.Output[str]:
        return pulumi.Output.from_input(text)

    return PlatformArgs(
        autoscaler=AutoscalerSpec(),
        mlflow=MlflowSpec(),
        cluster=cluster,
        environment="test",
        prefix="ml-platform-test",
        vpc_id=known("vpc-1"),
        ranges=RANGES,
        data_key_arn=known("arn:data-key"),
        secrets_key_arn=known("arn:secrets-key"),
        data_lake=BucketHandle(name=known("data-lake"), arn=known("arn:aws:s3:::data-lake")),
        artifacts=BucketHandle(name=known("artifacts"), arn=known("arn:aws:s3:::artifacts")),
        database=DatabaseHandle(
            address=known("10.0.96.7"),
            endpoint=known("10.0.96.7:5432"),
            master_secret_arn=known("arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1"),
            security_group_id=known("sg-database"),
        ),
        repository_urls={"mlflow": known("123456789012.dkr.ecr.us-east-1.amazonaws.com/ml-platform-test/mlflow")},
        retention=Retention(protect=False, recovery_window_days=0),
    )
