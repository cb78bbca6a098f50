"""Other flags of the original. They are accepted and reported as having no effect.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-are-the-parameters-to-ca
"""

from __future__ import annotations

_VALUES = """
    alsologtostderr-threshold aws-cluster-name blocking-system-pod-distruption-timeout balancing-ignore-label
    balancing-label bypassed-scheduler-names check-capacity-processor-instance
    check-capacity-provisioning-request-batch-timebox check-capacity-provisioning-request-max-batch-size cloud-config
    cluster-name cluster-snapshot-parallelism cores-total drain-priority-config estimator feature-gates
    gce-concurrent-refreshes gce-mig-instances-min-refresh-wait-time gpu-total grpc-expander-cert grpc-expander-url
    ignore-taint initial-node-group-backoff-duration kube-api-content-type kube-client-burst kube-client-qps kubernetes
    leader-elect-lease-duration leader-elect-renew-deadline leader-elect-resource-lock leader-elect-resource-name
    leader-elect-resource-namespace leader-elect-retry-period lease-resource-name log-backtrace-at log-dir log-file
    log-file-max-size log-flush-frequency log-json-info-buffer-size log-json-split-stream
    log-text-info-buffer-size log-text-split-stream logging-format max-allocatable-difference-ratio
    max-autoprovisioned-node-group-count max-binpacking-time max-bulk-soft-taint-count max-bulk-soft-taint-time
    max-drain-parallelism max-empty-bulk-delete max-failing-time max-free-difference-ratio
    max-inactivity max-node-group-backoff-duration max-nodegroup-binpacking-duration max-pod-eviction-time
    max-total-unready-percentage memory-difference-ratio memory-total min-replica-count
    node-delete-delay-after-taint node-deletion-batcher-interval node-deletion-candidate-ttl
    node-deletion-delay-timeout node-group-backoff-reset-timeout node-info-cache-expire-time ok-total-unready-count
    pod-injection-limit predicate-parallelism provisioning-request-initial-backoff-time
    provisioning-request-max-backoff-cache-size provisioning-request-max-backoff-time
    scale-down-candidates-pool-min-count scale-down-candidates-pool-ratio scale-down-delay-after-delete
    scale-down-delay-after-failure scale-down-gpu-utilization-threshold scale-down-non-empty-candidates-count
    scale-down-simulation-timeout scale-down-unready-time scheduler-config-file startup-taint status-taint
    stderrthreshold unremovable-node-recheck-timeout user-agent v vmodule
"""

VALUES = frozenset(_VALUES.split())

_SWITCHES = """
    add-dir-header alsologtostderr async-node-groups aws-use-static-instance-list bulk-mig-instances-listing-enabled
    capacity-buffer-controller-enabled capacity-buffer-pod-injection-enabled check-capacity-batch-processing
    clusterapi-cloud-config-authoritative cordon-node-before-terminating daemonset-eviction-for-empty-nodes
    daemonset-eviction-for-occupied-nodes debugging-snapshot-enabled dynamic-node-delete-delay-after-taint-enabled
    emit-per-nodegroup-metrics enable-csi-node-aware-scheduling enable-dynamic-resource-allocation
    enable-proactive-scaleup enable-provisioning-requests force-delete-failed-nodes force-delete-unregistered-nodes
    force-ds frequent-loops-enabled ignore-daemonsets-utilization ignore-mirror-pods-utilization leader-elect
    logtostderr node-autoprovisioning-enabled one-output parallel-scale-up profiling record-duplicated-events regional
    scale-down-delay-type-local scale-down-unready-enabled scale-from-unschedulable scale-up-from-zero skip-headers
    skip-log-headers skip-nodes-with-custom-controller-pods
"""

SWITCHES = frozenset(_SWITCHES.split())
