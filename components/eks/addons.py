"""EKS add-ons in exact versions: those that nodes need to become ready, and those that need nodes to run on.

Pods get addresses from the secondary range (custom networking). A node reserves them in blocks of 16 (/28 prefixes).
The VPC CNI add-on itself creates one ENIConfig per zone, so they exist before the first node.
https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html
https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.eks.versions import ADDONS, Minor
from components.iam_documents import Scope, Statement, document
from components.keys import VOLUME_ENCRYPTION
from components.pod_identity import PodRole, PodRoleArgs

NAMESPACE = "kube-system"
CNI_ACCOUNT, CNI_POLICY = "aws-node", "AmazonEKS_CNI_Policy"
EBS_ACCOUNT, EBS_POLICY = "ebs-csi-controller-sa", "AmazonEBSCSIDriverPolicyV2"


@dataclass(frozen=True, kw_only=True)
class NodeAddonsArgs:
    """Arguments of the add-ons that nodes need. `pod_subnets` is keyed by zone."""

    account: Account
    cluster_name: str
    cluster: pulumi.Input[str]
    version: Minor
    pod_subnets: Mapping[str, pulumi.Input[str]]
    security_group_id: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class ServiceAddonsArgs:
    """Arguments of the add-ons that run on nodes. `after` contains the nodes that they run on: the general pool."""

    account: Account
    cluster_name: str
    cluster: pulumi.Input[str]
    version: Minor
    volume_key_arn: pulumi.Input[str]
    volume_tags: Mapping[str, str]
    after: Sequence[pulumi.Resource]


def volume_policy(scope: Scope, key_arn: str) -> str:
    """Return permissions to use the platform's key for volumes, which AWS's managed policy cannot contain.

    https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html
    """
    via_ec2 = {"kms:ViaService": f"ec2.{scope.region}.amazonaws.com"}
    return document(
        [
            Statement(
                sid="EncryptVolumes",
                actions=VOLUME_ENCRYPTION,
                resources=[key_arn],
                conditions={"StringEquals": via_ec2},
            ),
            Statement(
                sid="LendToVolumes",
                actions=["kms:CreateGrant"],
                resources=[key_arn],
                conditions={"StringEquals": via_ec2, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]
    )


class NodeAddons(pulumi.ComponentResource):
    installed: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:NodeAddons", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = PodRole(
            f"{name}-vpc-cni",
            PodRoleArgs(
                account=args.account,
                cluster_name=args.cluster_name,
                cluster=args.cluster,
                namespace=NAMESPACE,
                service_account=CNI_ACCOUNT,
                managed_policies=(CNI_POLICY,),
            ),
            child,
        )
        agent = _addon(name, "eks-pod-identity-agent", args.cluster, args.version, child)
        network = _addon(
            name,
            "vpc-cni",
            args.cluster,
            args.version,
            # The add-on's pods get their role through the Pod Identity agent.
            pulumi.ResourceOptions(parent=self, depends_on=[agent, *role.permissions]),
            configuration=_network_configuration(args),
            identity=(role.arn, CNI_ACCOUNT),
        )
        self.installed = [agent, network, _addon(name, "kube-proxy", args.cluster, args.version, child)]
        self.register_outputs({})


class ServiceAddons(pulumi.ComponentResource):
    installed: list[pulumi.Resource]

    def __init__(self, name: str, args: ServiceAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ServiceAddons", name, {}, opts)
        role = PodRole(
            f"{name}-ebs-csi",
            PodRoleArgs(
                account=args.account,
                cluster_name=args.cluster_name,
                cluster=args.cluster,
                namespace=NAMESPACE,
                service_account=EBS_ACCOUNT,
                policy=pulumi.Output.all(args.account.scope, args.volume_key_arn).apply(
                    lambda known: volume_policy(*known)
                ),
                managed_policies=(EBS_POLICY,),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        # EKS waits until the add-on's pods run, which requires nodes.
        on_nodes = pulumi.ResourceOptions(parent=self, depends_on=list(args.after))
        volumes = _addon(
            name,
            "aws-ebs-csi-driver",
            args.cluster,
            args.version,
            pulumi.ResourceOptions(parent=self, depends_on=[*args.after, *role.permissions]),
            # These tags identify the owner of volumes that remain on the bill after the cluster is deleted.
            configuration=pulumi.Output.json_dumps({"controller": {"extraVolumeTags": dict(args.volume_tags)}}),
            identity=(role.arn, EBS_ACCOUNT),
        )
        self.installed = [
            volumes,
            _addon(name, "coredns", args.cluster, args.version, on_nodes),
            _addon(name, "metrics-server", args.cluster, args.version, on_nodes),
        ]
        self.register_outputs({})


def _network_configuration(args: NodeAddonsArgs) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps(
        {
            "enableNetworkPolicy": "true",
            "env": {
                "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
                # Gives a branch network interface to pods that request one; network policies apply to them only in
                # `standard` mode.
                # https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html#sg-pods-considerations
                "ENABLE_POD_ENI": "true",
                "ENABLE_PREFIX_DELEGATION": "true",
                "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone",
                "POD_SECURITY_GROUP_ENFORCING_MODE": "standard",
                "WARM_PREFIX_TARGET": "1",
            },
            "eniConfig": {
                "create": True,
                "region": args.account.region,
                # The add-on names each ENIConfig <region><key>. This equals the zone in the node label.
                "subnets": {
                    zone.removeprefix(args.account.region): {
                        "id": subnet,
                        "securityGroups": [args.security_group_id],
                    }
                    for zone, subnet in args.pod_subnets.items()
                },
            },
        },
        sort_keys=True,
    )


def _addon(
    name: str,
    addon: str,
    cluster: pulumi.Input[str],
    version: Minor,
    opts: pulumi.ResourceOptions,
    *,
    configuration: pulumi.Input[str] | None = None,
    identity: tuple[pulumi.Input[str], str] | None = None,
) -> aws.eks.Addon:
    return aws.eks.Addon(
        f"{name}-{addon}-addon",
        cluster_name=cluster,
        addon_name=addon,
        addon_version=ADDONS[version][addon],
        configuration_values=configuration,
        # Settings that were changed by hand are drift, so they are overwritten.
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        preserve=False,
        pod_identity_associations=(
            [{"role_arn": identity[0], "service_account": identity[1]}] if identity is not None else None
        ),
        tags={"Name": addon},
        opts=opts,
    )
