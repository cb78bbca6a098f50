"""Stand-in for Kubernetes' Cluster Autoscaler on AWS: its flags, Auto Scaling group tags, permissions and events.

It is deliberately simpler than the original: one replica without leader election. The fit of a pod depends on its
requests, node selector, required node affinity and tolerations, but not on inter-pod affinity, topology spread or the
zones of volumes. https://github.com/kubernetes/autoscaler/tree/master/cluster-autoscaler
"""
