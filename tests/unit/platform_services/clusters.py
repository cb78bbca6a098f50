"""A cluster as the layer below would hand it over."""

from typing import Any

import pulumi

from components.account import Account
from components.eks import ClusterHandle, NodePool

ACCOUNT = Account(id="123456789012", partition="aws", region="us-east-1")


def pool(name: str, instance_type: str, accelerator: str = "none") -> NodePool:
    return NodePool(
        name=name,
        instance_types=(instance_type,),
        accelerator=accelerator,
        max_size=4,
        version="1.36",
        zones=("us-east-1a",),
    )


GENERAL = pool("general", "m7i.large")


def handle(*pools: NodePool, version: str = "1.36", exists: bool = True) -> ClusterHandle:
    """Call it inside the program: outputs belong to the loop that they are made on. Nothing is known of a cluster
    that does not exist yet."""

    def known(text: str) -> pulumi.Output[Any]:
        return pulumi.Output.from_input(text if exists else pulumi.UNKNOWN)

    return ClusterHandle(
        name=known("test-eks"),
        arn=known("arn:cluster"),
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
        ready=(),
    )
