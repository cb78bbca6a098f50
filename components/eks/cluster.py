"""EKS control plane: private endpoint always enabled, secrets encrypted with a separate key, logs retained for a limit.

The program creates the log group before the cluster. Otherwise EKS would create one without key and with unlimited
retention, and recreate it after a deletion.
https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
"""

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.eks.arguments import ClusterArgs
from components.iam_documents import Scope, Statement, document, trust_document
from components.naming import slug

HTTPS = 443
CLUSTER_POLICY = "AmazonEKSClusterPolicy"
# Lets EKS attach branch network interfaces to pods, with security groups of their own.
# https://docs.aws.amazon.com/eks/latest/userguide/security-groups-pods-deployment.html
INTERFACES_POLICY = "AmazonEKSVPCResourceController"


def control_plane_trust(scope: Scope, cluster: str) -> str:
    """Return the trust policy of the control plane, with conditions against a confused deputy.

    https://docs.aws.amazon.com/eks/latest/userguide/cross-service-confused-deputy-prevention.html
    """
    return trust_document(
        Statement(
            sid="EksForThisCluster",
            principals={"Service": ["eks.amazonaws.com"]},
            actions=["sts:AssumeRole"],
            resources=["role"],
            conditions={
                "StringEquals": {"aws:SourceAccount": scope.account_id},
                "ArnLike": {"aws:SourceArn": scope.arn("eks", f"cluster/{cluster}")},
            },
        )
    )


def control_plane_policy(key_arn: str) -> str:
    return document(
        [
            Statement(
                sid="EncryptSecrets",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"],
                resources=[key_arn],
            )
        ]
    )


class Cluster(pulumi.ComponentResource):
    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Cluster", name, {}, opts)
        self._logical_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        cluster = self._control_plane()
        self.name, self.endpoint = cluster.name, cluster.endpoint
        self.certificate_authority = cluster.certificate_authority.data
        # EKS creates this security group and deletes it with the cluster. Nodes and pods use it too, so network
        # interfaces that
        # the network add-on left behind do not block the deletion of a security group of ours.
        self.security_group_id = cluster.vpc_config.apply(lambda vpc: vpc.cluster_security_group_id or "")
        self.oidc_issuer = cluster.identities.apply(lambda found: (found[0].oidcs or [])[0].issuer or "")
        self.oidc_provider_arn = aws.iam.OpenIdConnectProvider(
            f"{name}-oidc",
            url=self.oidc_issuer,
            client_id_lists=["sts.amazonaws.com"],
            tags={"Name": args.name},
            opts=self._child,
        ).arn
        self.register_outputs({})

    def _control_plane(self) -> aws.eks.Cluster:
        args, spec = self._args, self._args.spec
        logs = aws.cloudwatch.LogGroup(
            f"{self._logical_name}-logs",
            name=f"/aws/eks/{args.name}/cluster",
            retention_in_days=spec.log_retention_days,
            kms_key_id=args.logs_key_arn,
            opts=self._child,
        )
        role_arn, permissions = self._role(args.account)
        return aws.eks.Cluster(
            f"{self._logical_name}-control-plane",
            name=args.name,
            version=spec.version,
            role_arn=role_arn,
            vpc_config={
                "subnet_ids": list(args.subnet_ids),
                "security_group_ids": [self._callers()],
                "endpoint_private_access": True,
                "endpoint_public_access": spec.public_access,
                "public_access_cidrs": sorted(spec.api_cidrs) if spec.public_access else None,
            },
            # The creator of the cluster applies the first manifests, before any other access entry exists.
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True},
            bootstrap_self_managed_addons=False,
            deletion_protection=spec.deletion_protection,
            enabled_cluster_log_types=sorted(spec.log_types),
            encryption_config={"provider": {"key_arn": args.secrets_key_arn}, "resources": ["secrets"]},
            kubernetes_network_config={"service_ipv4_cidr": args.service_cidr, "ip_family": "ipv4"},
            upgrade_policy={"support_type": spec.upgrade_policy.upper()},
            zonal_shift_config={"enabled": spec.zonal_shift},
            tags={"Name": args.name},
            opts=pulumi.ResourceOptions(
                parent=self,
                # Without the log group EKS creates its own; without its permissions EKS cannot remove the resources
                # that it created in
                # the VPC; without routes and endpoints nodes can neither join nor be drained.
                depends_on=[logs, *permissions, *args.after],
                # EKS keeps the zones that the cluster was created in, and rejects subnets in more or fewer zones; nodes
                # may use others.
                # https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
                ignore_changes=["vpcConfig.subnetIds"],
            ),
        )

    def _role(self, account: Account) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
        name, args = self._logical_name, self._args
        role = aws.iam.Role(
            f"{name}-role",
            description=f"Control plane of {args.name}",
            assume_role_policy=account.scope.apply(lambda scope: control_plane_trust(scope, args.name)),
            tags={"Name": f"{args.name}-control-plane"},
            opts=self._child,
        )
        managed = [
            aws.iam.RolePolicyAttachment(
                f"{name}-role-{part}",
                role=role.name,
                policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", account.partition, policy),
                opts=self._child,
            )
            for part, policy in (("managed", CLUSTER_POLICY), ("interfaces", INTERFACES_POLICY))
        ]
        encryption = aws.iam.RolePolicy(
            f"{name}-role-encryption",
            role=role.id,
            policy=pulumi.Output.from_input(args.secrets_key_arn).apply(control_plane_policy),
            opts=self._child,
        )
        return role.arn, [*managed, encryption]

    def _callers(self) -> pulumi.Output[str]:
        """Create the security group of clients outside the VPC, which reach the private endpoint by VPN or peering.

        These are offices and CI runners.
        """
        name, args = self._logical_name, self._args
        group = aws.ec2.SecurityGroup(
            f"{name}-callers",
            description="Kubernetes API: HTTPS from private ranges outside the VPC",
            vpc_id=args.vpc_id,
            tags={"Name": f"{args.name}-callers"},
            opts=self._child,
        )
        for caller, cidr in args.spec.private_cidrs.items():
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-from-{slug(caller)}",
                security_group_id=group.id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                description=f"Kubernetes API from {caller}",
                tags={"Name": f"{args.name}-from-{slug(caller)}"},
                opts=self._child,
            )
        return group.id
