"""Pulumi providers, created once per environment and inherited by every component."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.eks.arguments import ClusterHandle
from stacks.settings import PlatformSettings


def identifying_tags(settings: PlatformSettings) -> Mapping[str, str]:
    """Return the tags that identify this environment's resources; permissions and budgets rely on them."""
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
    """Return the AWS provider. It uses the default credential chain; no credentials are configured."""
    return aws.Provider(
        "aws",
        region=settings.region,
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(default_tags(settings))),
    )


def kubeconfig(cluster: ClusterHandle) -> pulumi.Output[str]:
    """Return a kubeconfig built from the cluster's AWS outputs.

    Callers authenticate as themselves; no token is stored.
    https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html
    """
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": cluster.name,
                    "cluster": {
                        "server": cluster.endpoint,
                        "certificate-authority-data": cluster.certificate_authority,
                    },
                }
            ],
            "users": [
                {
                    "name": cluster.name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "aws",
                            "args": [
                                *("--region", cluster.region, "eks", "get-token"),
                                *("--cluster-name", cluster.name, "--output", "json"),
                            ],
                            "interactiveMode": "Never",
                        }
                    },
                }
            ],
            "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": cluster.name}}],
            "current-context": cluster.name,
        }
    )


def kubernetes_provider(
    cluster: ClusterHandle, ready: Sequence[pulumi.Resource] = (), parent: pulumi.Resource | None = None
) -> k8s.Provider:
    """Applies objects on the server's side, so that it owns the fields that the program sets and no others."""
    return k8s.Provider(
        "kubernetes",
        kubeconfig=kubeconfig(cluster),
        enable_server_side_apply=True,
        # Objects are made once somebody may make them and there are nodes for their pods; they are deleted while
        # both still hold, or they would be left behind and block the deletion of the rest.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(ready)),
    )
