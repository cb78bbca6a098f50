"""Launch template of a pool: metadata only for the node itself, encrypted disk, tags, and EFA interfaces if configured.

https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html
"""

import pulumi
import pulumi_aws as aws

from components.eks.arguments import NodeGroupArgs, NodePool
from components.eks.node_config import user_data
from components.instance_families import family_of

ROOT_DEVICE = "/dev/xvda"
# Resources that AWS creates for an instance and that do not get the provider's default tags.
TAGGED = ("instance", "volume", "network-interface")


def launch_template(
    name: str, args: NodeGroupArgs, security_group_id: pulumi.Input[str] | None, opts: pulumi.ResourceOptions
) -> aws.ec2.LaunchTemplate:
    """Create the launch template of a pool.

    `security_group_id` is the additional group of EFA interfaces. If it is None, EKS assigns the cluster's security
    group to the nodes.
    """
    pool, spec = args.pool, args.pool.spec
    placement = _placement_group(name, pool, opts)
    tags = {**args.tags, "Name": f"{args.tags.get('project', 'eks')}-{args.tags.get('environment', '')}-{pool.name}"}
    return aws.ec2.LaunchTemplate(
        f"{name}-template",
        description=f"Nodes of pool {pool.name}",
        block_device_mappings=[
            {
                "device_name": ROOT_DEVICE,
                "ebs": {
                    "volume_size": spec.disk_gb,
                    "volume_type": "gp3",
                    "encrypted": "true",
                    "kms_key_id": args.volume_key_arn,
                    "delete_on_termination": "true",
                },
            }
        ],
        # A hop limit of 1 reaches the node and pods in the host network. Other pods have identities of their own.
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            "http_put_response_hop_limit": 1,
            "instance_metadata_tags": "disabled",
        },
        user_data=user_data(args.pods_per_node, spec.has_instance_store),
        tag_specifications=[{"resource_type": kind, "tags": tags} for kind in TAGGED],
        instance_type=spec.instance_types[0] if spec.capacity == "capacity_block" else None,
        instance_market_options={"market_type": "capacity-block"} if spec.capacity == "capacity_block" else None,
        capacity_reservation_specification=(
            {"capacity_reservation_target": {"capacity_reservation_id": spec.capacity_reservation}}
            if spec.capacity_reservation
            else None
        ),
        network_interfaces=_interfaces(args, security_group_id) if security_group_id is not None else None,
        placement={"group_name": placement} if placement is not None else None,
        tags={"Name": tags["Name"]},
        opts=opts,
    )


def _placement_group(name: str, pool: NodePool, opts: pulumi.ResourceOptions) -> pulumi.Output[str] | None:
    if not pool.spec.placement_group:
        return None
    return aws.ec2.PlacementGroup(
        f"{name}-together", strategy="cluster", tags={"Name": f"{name}-together"}, opts=opts
    ).name


def _interfaces(
    args: NodeGroupArgs, security_group_id: pulumi.Input[str]
) -> list[aws.ec2.LaunchTemplateNetworkInterfaceArgsDict]:
    """Return one network interface per network card.

    The first one carries IP traffic; it also carries EFA traffic if its card supports EFA.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html
    """
    groups = [args.cluster_security_group_id, security_group_id]
    types = args.pool.spec.instance_types
    efa_first = all(family_of(name).efa_on_first_card for name in types)
    count = args.pool.spec.efa_interfaces
    first: aws.ec2.LaunchTemplateNetworkInterfaceArgsDict = {
        "network_card_index": 0,
        "device_index": 0,
        "interface_type": "efa" if efa_first else "interface",
        "security_groups": groups,
        "delete_on_termination": "true",
    }
    others: list[aws.ec2.LaunchTemplateNetworkInterfaceArgsDict] = [
        {
            "network_card_index": card,
            "device_index": 1,
            "interface_type": "efa-only",
            "security_groups": groups,
            "delete_on_termination": "true",
        }
        for card in range(1, count if efa_first else count + 1)
    ]
    return [first, *others]
