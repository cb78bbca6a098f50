"""User data of the nodes: the configuration that nodeadm reads before a node joins. Pure functions.

EKS adds the cluster's address and certificate as a separate part; nodeadm merges both parts.
https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/
https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-user-data
"""

import base64

BOUNDARY = "//"


def node_config(pods_per_node: int, raid: bool) -> str:
    """Return the NodeConfig of a node.

    Args:
        pods_per_node: maximum number of pods.
        raid: combine the instance store disks into one volume for container images and local files of pods.
    """
    lines = [
        "apiVersion: node.eks.aws/v1alpha1",
        "kind: NodeConfig",
        "spec:",
        "  kubelet:",
        "    config:",
        # The maximum that nodeadm calculates ignores prefix delegation and the separate subnets of pods.
        f"      maxPods: {pods_per_node}",
    ]
    if raid:
        lines += ["  instance:", "    localStorage:", "      strategy: RAID0"]
    return "\n".join(lines) + "\n"


def user_data(pods_per_node: int, raid: bool) -> str:
    """Return the user data as a MIME archive of one part, base64-encoded as launch templates require."""
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
