"""Differences between a sandbox cluster and an EKS cluster. `mlp sandbox limits` prints them for users."""

from __future__ import annotations

from mlp_sandbox.clusters.images.catalogue import CATALOGUE
from mlp_sandbox.clusters.nodes.nodes import REAL_ACCELERATED_NODES, REAL_GENERAL_NODES

Entry = dict[str, str]

_CLUSTER: tuple[tuple[str, str], ...] = (
    (
        f"{REAL_GENERAL_NODES} nodes without accelerators and {REAL_ACCELERATED_NODES} with are real",
        "the others are KWOK's: their pods are said to run, and nothing runs: no logs, no exec, no answers; Jobs "
        "succeed after some seconds. `mlp sandbox status` says which node is which",
    ),
    (
        "no accelerator is there",
        "the device plugin's stand-in announces the GPUs of the instance type; programs in pods fall back to the CPU",
    ),
    (
        "nodes with EFA interfaces are simulated, all of them",
        "they announce as many `vpc.amazonaws.com/efa` as their launch template has, so that pods are placed; nothing "
        "of them runs",
    ),
    (
        "a real node announces its instance type's processors and memory, however small the machine is",
        "many busy pods share what there is: they get slower, and memory can run out earlier than the scheduler thinks",
    ),
    (
        "real nodes need root, Linux, and the Debian packages that `mlp doctor` lists",
        "without them every node is simulated, which `mlp sandbox demo`, `mlp sandbox status` and `mlp doctor` say",
    ),
    (
        "pods reach the cluster, the emulated AWS API, databases of their VPC and nothing else",
        "no internet. Databases have certificates of the sandbox's authority, which every container finds by "
        "PGSSLROOTCERT unless its manifest sets that; what names Amazon's in another way trusts no database here",
    ),
    (
        "NetworkPolicy is enforced on real nodes only, while add-on vpc-cni has enableNetworkPolicy",
        "as the VPC CNI does it in mode standard, with these differences: pods without an owner are under it too; a "
        "changed policy also ends connections that are there; more than 24 ports of a range count; "
        "ClusterNetworkPolicy and ApplicationNetworkPolicy do not exist",
    ),
    (
        "a NetworkPolicy holds from a pod's first packet",
        "in the VPC CNI's mode standard, which the program keeps, a new pod on EKS may send and receive anything for "
        "the moment until its node has its policies, and a connection from before then may be cut; mode strict, which "
        "blocks until then, is not emulated: NETWORK_POLICY_ENFORCING_MODE is a record",
    ),
    (
        "the emulated AWS is one address and port of this machine",
        "to a NetworkPolicy it is TCP 443 of a public address: pods reach it where their policies allow that port to "
        "any public range, whichever; ranges of the VPC, whose endpoints AWS has too, are not enough",
    ),
    (
        "pods have no network interfaces of the VPC, and no security groups: a SecurityGroupPolicy is a record",
        "nodes announce `vpc.amazonaws.com/pod-eni` where EKS would, so that pods are placed; what a security group "
        "lets through, `mlp reachability` says from the program's rules",
    ),
    (
        "etcd does not wait for the disk",
        "killed processes lose nothing; a machine that loses power may lose the last writes: `mlp sandbox reset`",
    ),
    (
        "secrets in etcd are encrypted with a key in the sandbox's folder",
        "it stands in for the envelope encryption with the cluster's KMS key, which is checked and kept only",
    ),
    (
        "volumes are folders of this machine",
        "sizes are not enforced, there are no snapshots, block devices or ReadWriteMany; the EBS driver's own role is "
        "not what calls EC2",
    ),
    (
        "Services of type LoadBalancer and Ingresses get no address",
        "there is no load balancer controller; use ClusterIP and `kubectl port-forward`",
    ),
)


def cluster_limits() -> list[Entry]:
    """Return entries with the keys `service`, `what` and `effect`, which include one per image of the catalogue."""
    general = [{"service": "eks", "what": what, "effect": effect} for what, effect in _CLUSTER]
    images = [
        {
            "service": "eks",
            "what": f"image {', '.join(image.references)}: {'a stand-in' if image.kind == 'stand-in' else 'made here'}",
            "effect": f"made from {image.made_from}; differs: {image.differs}",
        }
        for image in CATALOGUE
    ]
    others = {
        "service": "eks",
        "what": "images other than those listed here",
        "effect": "the host pulls them once, where it reaches their registry; else the pod's event says what the "
        "registry, or the network, said. `mlp sandbox images pull` asks anew for a tag that is there. References by "
        "digest are refused, but for those of the images above: their digests are of other registries, and pods and "
        "Dockerfiles that name one get what is made here, under any digest; a Dockerfile of your own is built by "
        "`mlp sandbox images build`",
    }
    return [*general, *images, others]
