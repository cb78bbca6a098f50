"""Permissions of Cluster Autoscaler: on the cluster by RBAC, on AWS by the role of its pods. Pure functions.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#full-cluster-autoscaler-features-policy-recommended
"""

from collections.abc import Sequence

import pulumi_kubernetes as k8s

from components.iam_documents import Scope, Statement, describe_only, document

Rule = k8s.rbac.v1.PolicyRuleArgsDict

LEASE, STATUS = "cluster-autoscaler", "cluster-autoscaler-status"


def _watch(group: str, *kinds: str) -> Rule:
    return {"api_groups": [group], "resources": list(kinds), "verbs": ["get", "list", "watch"]}


# The simulation of pod placement reads all objects that the scheduler reads.
CLUSTER_RULES: Sequence[Rule] = (
    _watch(
        "", "namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers", "services"
    ),
    _watch("apps", "daemonsets", "replicasets", "statefulsets"),
    _watch("batch", "cronjobs", "jobs"),
    _watch("policy", "poddisruptionbudgets"),
    _watch("resource.k8s.io", "deviceclasses", "resourceclaims", "resourceslices"),
    _watch("storage.k8s.io", "csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"),
    # The autoscaler taints nodes that it is about to remove, so that the scheduler does not use them.
    {"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "list", "patch", "update", "watch"]},
    # The autoscaler drains nodes before it removes them, by eviction, which respects disruption budgets.
    {"api_groups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"api_groups": [""], "resources": ["pods/status"], "verbs": ["update"]},
    {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
)

# In its own namespace: the lease for leader election, and the status that people read.
NAMESPACE_RULES: Sequence[Rule] = (
    {"api_groups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "api_groups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resource_names": [LEASE],
        "verbs": ["get", "update"],
    },
    {"api_groups": [""], "resources": ["configmaps"], "verbs": ["create", "list", "watch"]},
    {
        "api_groups": [""],
        "resources": ["configmaps"],
        "resource_names": [STATUS],
        "verbs": ["delete", "get", "update"],
    },
)


def autoscaler_policy(scope: Scope, cluster: str) -> str:
    """Return the policy of the autoscaler.

    It reads every group of the region, and resizes those that EKS tagged as this cluster's.
    """
    owned = {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}
    return document(
        [
            describe_only(
                "FindGroups",
                [
                    "autoscaling:DescribeAutoScalingGroups",
                    "autoscaling:DescribeAutoScalingInstances",
                    "autoscaling:DescribeLaunchConfigurations",
                    "autoscaling:DescribeScalingActivities",
                    "autoscaling:DescribeTags",
                    "ec2:DescribeImages",
                    "ec2:DescribeInstanceTypes",
                    "ec2:DescribeLaunchTemplateVersions",
                    "ec2:GetInstanceTypesFromInstanceRequirements",
                ],
                "AWS authorises these calls on every resource or none",
                {"StringEquals": {"aws:RequestedRegion": scope.region}},
            ),
            Statement(
                sid="ReadNodeGroups",
                actions=["eks:DescribeNodegroup"],
                resources=[scope.arn("eks", f"nodegroup/{cluster}/*/*")],
            ),
            Statement(
                sid="ResizeOwnGroups",
                actions=["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
                resources=[scope.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")],
                conditions={"StringEquals": owned},
            ),
        ]
    )
