"""Training of a project: a CronJob. A run is a Job made from it, by its schedule or by `mlp train`.

https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components.accelerators import ACCELERATORS, EFA_RESOURCE, LABEL
from ml_workloads.deployment.arguments import PartArgs, labels, metadata
from ml_workloads.deployment.environment_variables import entries, job_entry, training_variables
from ml_workloads.deployment.identity import Identity
from ml_workloads.deployment.pods import project_container, project_pod, sized
from ml_workloads.project.data import S3Source
from ml_workloads.project.deployment_names import NO_SCHEDULE, TRAINING
from ml_workloads.project.training import TrainingSettings

MODULE: Final = "ml_workloads.runtime.training"
START_WITHIN_SECONDS = 3600
KEPT_SECONDS = 7 * 24 * 3600
# Runs are kept for that long, so that their logs can be read, as long as there are not more of them than this.
KEPT_RUNS = 20
# Of ml_workloads/runtime/training: the project's code failed; its data, contract or environment is wrong.
FINAL_EXIT_CODES = (1, 2)
# Of the same: credentials, MLflow, S3, Secrets Manager or the database did not answer for as long as the pod tried.
PLATFORM_EXIT_CODES = (75,)


def failure_policy() -> k8s.batch.v1.PodFailurePolicyArgsDict:
    """Return the rules of a failed pod, of which the first that fits decides.

    A pod that lost its node is started anew, whatever its code. So is one that the platform failed, however often,
    until the run's deadline. What the project itself causes would only happen again. All else, such as too little
    memory, is tried as `retries` says.
    https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
    """
    return {
        "rules": [
            {"action": "Ignore", "on_pod_conditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "Ignore", "on_exit_codes": _any_of(PLATFORM_EXIT_CODES)},
            {"action": "FailJob", "on_exit_codes": _any_of(FINAL_EXIT_CODES)},
        ]
    }


def _any_of(codes: Sequence[int]) -> k8s.batch.v1.PodFailurePolicyOnExitCodesRequirementArgsDict:
    return {"container_name": TRAINING, "operator": "In", "values": list(codes)}


def devices(training: TrainingSettings) -> Mapping[str, str]:
    """By the resources that the device plugins of its nodes announce."""
    wanted = training.accelerator
    accelerators = {ACCELERATORS[wanted.type].vendor.resource: str(wanted.count)} if wanted else {}
    return {**accelerators, **({EFA_RESOURCE: str(training.efa)} if training.efa else {})}


class Training(pulumi.ComponentResource):
    def __init__(self, name: str, args: PartArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ProjectTraining", name, {}, opts)
        self._args, self._labels = args, labels(args.project, TRAINING)
        from_lake = isinstance(args.project.data.source, S3Source)
        self._identity = Identity(
            f"{name}-identity", args, TRAINING, reads_data=from_lake, opts=pulumi.ResourceOptions(parent=self)
        )
        schedule, paused = args.project.training.schedule, args.project.training.paused
        k8s.batch.v1.CronJob(
            f"{name}-runs",
            metadata=metadata(TRAINING, args.namespace, self._labels),
            spec={
                "schedule": schedule or NO_SCHEDULE,
                "time_zone": "Etc/UTC",
                "suspend": schedule is None or paused,
                "concurrency_policy": "Forbid",
                "starting_deadline_seconds": START_WITHIN_SECONDS,
                "successful_jobs_history_limit": KEPT_RUNS,
                "failed_jobs_history_limit": KEPT_RUNS,
                "job_template": {"metadata": {"labels": self._labels}, "spec": self._job()},
            },
            # The first run may start at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._identity, *args.after], hooks=args.image_hooks),
        )
        self.register_outputs({})

    def _job(self) -> k8s.batch.v1.JobSpecArgsDict:
        training = self._args.project.training
        return {
            "backoff_limit": training.retries,
            "active_deadline_seconds": training.deadline_minutes * 60,
            "ttl_seconds_after_finished": KEPT_SECONDS,
            "pod_failure_policy": failure_policy(),
            "template": {
                "metadata": {
                    "labels": self._labels,
                    # A node is not emptied of a run for being hardly used; the run would begin anew.
                    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                },
                "spec": self._pod(),
            },
        }

    def _pod(self) -> k8s.core.v1.PodSpecArgsDict:
        args, training = self._args, self._args.project.training
        container = project_container(
            TRAINING,
            args.image,
            MODULE,
            [job_entry(), *entries(training_variables(args))],
            sized(training.resources, devices(training)),
        )
        pod = project_pod(self._identity.service_account, args.platform.priority_classes[TRAINING], container)
        pod["restart_policy"] = "Never"
        if training.accelerator:
            taint = ACCELERATORS[training.accelerator.type].vendor.taint
            pod["node_selector"] = {LABEL: training.accelerator.type}
            pod["tolerations"] = [{"key": taint.key, "operator": "Exists", "effect": taint.effect}]
        return pod
