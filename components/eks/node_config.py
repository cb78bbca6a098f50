"""User data of the nodes: what nodeadm is told before a node joins. Pure.

EKS adds the cluster's address and certificate in a part of its own; both are merged.
https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/
https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-user-data
"""

import base64

BOUNDARY = "//"


def node_config(pods_per_node: int, raid: bool) -> str:
    """`raid`: the disks that come with the instance become one, which holds container images and pods' local files."""
    lines = [
        "apiVersion: node.eks.aws/v1alpha1",
        "kind: NodeConfig",
        "spec:",
        "  kubelet:",
        "    config:",
        # What nodeadm works out by itself knows nothing of prefixes of addresses, nor of the pods' own subnets.
        f"      maxPods: {pods_per_node}",
    ]
    if raid:
        lines += ["  instance:", "    localStorage:", "      strategy: RAID0"]
    return "\n".join(lines) + "\n"


def user_data(pods_per_node: int, raid: bool) -> str:
    """A MIME archive of one part, in the base64 that launch templates want."""
    archive = (
        "MIME-Version: 1.0\n"
        f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\n'
        "\n"
        f"--{BOUNDARY}\n"
        "Content-Type: application/node.eks.aws\n"
        "\n"
        f"{node_config(pods_per_node, raid)}"
        "\n"
        f"--{BOUNDARY}--\n"
    )
    return base64.b64encode(archive.encode()).decode()
