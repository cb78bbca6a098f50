"""Stands in for Kubernetes' Cluster Autoscaler on AWS: its flags, Auto Scaling group tags, permissions and events.

Simpler than the original, on purpose: one replica without leader election, and where a pod fits is told by its
requests, node selector, required node affinity and tolerations, not by inter-pod affinity, spreading or volumes' zones.
https://github.com/kubernetes/autoscaler/tree/master/cluster-autoscaler
"""
