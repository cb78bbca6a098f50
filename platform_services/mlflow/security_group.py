"""The security group of MLflow's pods: their own network interfaces are in it, instead of in the cluster's group.

So only these pods reach the database, whatever network policies allow, and from the first packet. Traffic that leaves
the VPC uses the node's interface, and so the cluster's group.
https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.database.database import PORT as DATABASE_PORT
from platform_services.mlflow.pods import NAME, PORT

HTTPS, DNS = 443, 53


@dataclass(frozen=True, kw_only=True)
class PodGroupArgs:
    """Arguments of `PodGroup`.

    `cluster_group` is the group of nodes and of all other pods; `vpc_cidr` contains the interface endpoints.
    """

    prefix: str
    vpc_id: pulumi.Input[str]
    vpc_cidr: str
    cluster_group: pulumi.Input[str]
    database_group: pulumi.Input[str]
    namespace_ready: pulumi.Input[str]


class PodGroup(pulumi.ComponentResource):
    """The security group and its rules. Pods depend on the whole component."""

    def __init__(self, name: str, args: PodGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:PodGroup", name, {}, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            f"{name}-group",
            description="Pods of MLflow",
            vpc_id=args.vpc_id,
            tags={"Name": f"{args.prefix}-mlflow"},
            opts=self._child,
        )
        self._id = group.id
        self._out("to-aws", "tcp", HTTPS, "Interface endpoints of AWS", cidr=args.vpc_cidr)
        for protocol in ("udp", "tcp"):
            self._out(f"to-names-{protocol}", protocol, DNS, "Names, from CoreDNS", group=args.cluster_group)
        self._out("to-database", "tcp", DATABASE_PORT, "PostgreSQL", group=args.database_group)
        self._out("to-itself", "tcp", PORT, "The server of MLflow", group=group.id)
        self._in("from-cluster", group.id, PORT, "Clients among the pods of the cluster", args.cluster_group)
        self._in("from-itself", group.id, PORT, "Other parts of MLflow", group.id)
        self._in("into-database", args.database_group, DATABASE_PORT, "PostgreSQL from MLflow", group.id)
        # CoreDNS is in the cluster's group, which allows traffic from its own members only.
        for protocol in ("udp", "tcp"):
            self._in(f"into-names-{protocol}", args.cluster_group, DNS, "Names, for MLflow", group.id, protocol)
        k8s.apiextensions.CustomResource(
            f"{name}-policy",
            api_version="vpcresources.k8s.aws/v1beta1",
            kind="SecurityGroupPolicy",
            metadata={"name": NAME, "namespace": args.namespace_ready},
            spec={
                "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": NAME}},
                "securityGroups": {"groupIds": [group.id]},
            },
            opts=self._child,
        )
        self.register_outputs({})

    def _out(
        self,
        name: str,
        protocol: str,
        port: int,
        what: str,
        *,
        cidr: str | None = None,
        group: pulumi.Input[str] | None = None,
    ) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{name}",
            security_group_id=self._id,
            cidr_ipv4=cidr,
            referenced_security_group_id=group,
            ip_protocol=protocol,
            from_port=port,
            to_port=port,
            description=what,
            tags={"Name": f"{self._args.prefix}-mlflow-{name}"},
            opts=self._child,
        )

    def _in(
        self,
        name: str,
        into: pulumi.Input[str],
        port: int,
        what: str,
        group: pulumi.Input[str],
        protocol: str = "tcp",
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-{name}",
            security_group_id=into,
            referenced_security_group_id=group,
            ip_protocol=protocol,
            from_port=port,
            to_port=port,
            description=what,
            tags={"Name": f"{self._args.prefix}-mlflow-{name}"},
            opts=self._child,
        )
