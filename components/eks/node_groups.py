"""Managed node group per pool: pinned AMI, size controlled by the autoscaler, and the tags for scaling up from zero.

A change of the template, the AMI or a label is rolled out node by node. A change of instance types, zones, disk
encryption or capacity creates a new group before the old one is drained.
"""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.accelerators import EFA_RESOURCE
from components.eks.arguments import NodeGroupArgs, NodePool
from components.eks.launch_template import launch_template
from components.eks.pool_spec import NodePoolSpec
from components.eks.versions import NODE_RELEASES
from components.naming import slug

TEMPLATE_TAG = "k8s.io/cluster-autoscaler/node-template"


def autoscaling_tags(pool: NodePool) -> Mapping[str, str]:
    """Return the tags that describe a node to the autoscaler while the group has none.

    A group that always has a node needs no tags, except for devices: the autoscaler reads an existing node.
    https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#auto-discovery-setup
    """
    spec = pool.spec
    if spec.min_size > 0 and spec.resource is None:
        return {}
    tags = {f"{TEMPLATE_TAG}/label/{key}": value for key, value in pool.node_labels.items()}
    tags[f"{TEMPLATE_TAG}/resources/ephemeral-storage"] = f"{spec.disk_gb}Gi"
    for taint in spec.node_taints:
        tags[f"{TEMPLATE_TAG}/taint/{taint.key}"] = f"{taint.value}:{taint.effect}"
    if spec.resource is not None:
        tags[f"{TEMPLATE_TAG}/resources/{spec.resource}"] = str(spec.devices)
    if spec.efa_interfaces:
        tags[f"{TEMPLATE_TAG}/resources/{EFA_RESOURCE}"] = str(spec.efa_interfaces)
    return tags


def types_in_order(spec: NodePoolSpec) -> tuple[str, ...]:
    """Return the instance types of a pool in an order that changes only if it matters to AWS.

    On-Demand nodes use the first available type, so the order of the settings stays. Spot nodes use the type with the
    most spare capacity, whatever the order, so the types are sorted: EKS replaces a node group when its list changes,
    and a reordered list would replace the nodes for nothing.
    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html#managed-node-group-capacity-types
    """
    return tuple(sorted(spec.instance_types)) if spec.capacity == "spot" else spec.instance_types


class NodeGroup(pulumi.ComponentResource):
    def __init__(self, name: str, args: NodeGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:NodeGroup", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._tag_for_autoscaling(self._group())
        self.register_outputs({})

    def _group(self) -> aws.eks.NodeGroup:
        args, pool, spec = self._args, self._args.pool, self._args.pool.spec
        template = launch_template(self._name, args, self._efa_group() if spec.efa else None, self._child)
        return aws.eks.NodeGroup(
            f"{self._name}-group",
            cluster_name=args.cluster_name,
            node_role_arn=args.role_arn,
            subnet_ids=[args.subnets[zone] for zone in sorted(pool.zones)],
            ami_type=spec.image,
            release_version=NODE_RELEASES[pool.version],
            version=pool.version,
            capacity_type=spec.capacity.upper(),
            # A Capacity Block is bought for one instance type, which the template names.
            instance_types=None if spec.capacity == "capacity_block" else list(types_in_order(spec)),
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            labels=dict(pool.node_labels),
            taints=[
                {"key": each.key, "value": each.value, "effect": each.eks_effect}
                for each in sorted(spec.node_taints, key=lambda taint: (taint.key, taint.effect))
            ]
            or None,
            scaling_config={"min_size": spec.min_size, "max_size": spec.max_size, "desired_size": spec.min_size},
            update_config={"max_unavailable": 1},
            tags={"Name": self._name},
            opts=pulumi.ResourceOptions(
                parent=self,
                # The autoscaler changes the desired size; the program would revert it.
                ignore_changes=["scalingConfig.desiredSize"],
                # Nodes become ready, and can be drained, only while these resources exist.
                depends_on=list(args.after),
            ),
        )

    def _efa_group(self) -> pulumi.Output[str]:
        """Create the security group of EFA interfaces.

        EFA traffic passes only between members of one group that allows all traffic to and from itself.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-start.html
        """
        group = aws.ec2.SecurityGroup(
            f"{self._name}-efa",
            description=f"Nodes of pool {self._args.pool.name}: EFA among themselves",
            vpc_id=self._args.vpc_id,
            tags={"Name": f"{self._name}-efa"},
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-efa-in",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            description="EFA among the nodes of the pool",
            tags={"Name": f"{self._name}-efa-in"},
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-efa-out",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            description="EFA among the nodes of the pool",
            tags={"Name": f"{self._name}-efa-out"},
            opts=self._child,
        )
        return group.id

    def _tag_for_autoscaling(self, group: aws.eks.NodeGroup) -> None:
        """Tag the Auto Scaling group for the autoscaler; tags of a node group do not propagate to it."""
        scaling_group = group.resources.apply(lambda found: (found[0].autoscaling_groups or [])[0].name or "")
        for key, value in autoscaling_tags(self._args.pool).items():
            aws.autoscaling.Tag(
                f"{self._name}-tag-{slug(key.removeprefix(TEMPLATE_TAG + '/'))}",
                autoscaling_group_name=scaling_group,
                tag={"key": key, "value": value, "propagate_at_launch": False},
                opts=self._child,
            )
