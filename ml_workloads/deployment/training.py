"""Training of a project: a CronJob whose Jobs conduct runs, and two CronJobs as templates of the conductors' Jobs.

A run is a Job, created by its schedule or by `mlp train`. Its pod is the conductor, from the platform's image: it reads
the data, has the contract checked in a worker, lets the project's code train on a part of the rows, and evaluates the
model on the others. Worker and training are pods of the project's image.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components.accelerators import ACCELERATORS, EFA_RESOURCE, LABEL
from components.pod_identity import NEEDS_ROLE
from ml_workloads.deployment.arguments import PartArgs, labels, metadata
from ml_workloads.deployment.conducting import Conducting
from ml_workloads.deployment.environment_variables import (
    conductor_variables,
    entries,
    fit_variables,
    job_entries,
    run_entries,
    worker_variables,
)
from ml_workloads.deployment.identity import Identity, IdentityArgs
from ml_workloads.deployment.pods import project_container, project_pod, sized
from ml_workloads.deployment.run_policies import policy_of_conductor, policy_of_fit
from ml_workloads.project.deployment_names import CONDUCTOR, FIT, NO_SCHEDULE, TRAINING, WORKER, WORKER_PORT
from ml_workloads.project.training import CONDUCTOR_CPU, WORKER_CPU, Resources, TrainingSettings

CONDUCTOR_MODULE: Final = "ml_workloads.runtime.conductor"
FIT_MODULE: Final = "ml_workloads.runtime.training"
WORKER_MODULE: Final = "ml_workloads.runtime.worker"
START_WITHIN_SECONDS = 3600
KEPT_SECONDS = 7 * 24 * 3600
# Runs are kept for `KEPT_SECONDS`, so that their logs can be read, but at most this many of them.
KEPT_RUNS = 20
# Conductors delete the Jobs that they start. A Job that a killed conductor left behind expires after this time.
KEPT_PARTS_SECONDS = 3600
# Exit codes of ml_workloads/runtime for permanent failures: the project's code failed, or its data, contract or
# environment is wrong.
FINAL_EXIT_CODES = (1, 2)
# Exit code of ml_workloads/runtime when credentials, MLflow, S3, Secrets Manager or the database did not answer for as
# long as the pod tried.
PLATFORM_EXIT_CODES = (75,)
# A worker has no work to complete at shutdown.
WORKER_GRACE_SECONDS = 1
# On SIGTERM a conductor deletes its Jobs and reports to MLflow.
CONDUCTOR_GRACE_SECONDS = 60


def failure_policy(container: str) -> k8s.batch.v1.PodFailurePolicyArgsDict:
    """Return the rules for a failed pod. The first rule that matches decides.

    A pod that lost its node is restarted, whatever its exit code. A pod that failed because of the platform is
    restarted as often as needed until the run's deadline. A failure that the project itself causes ends the Job,
    because it would only repeat. Any other failure, such as too little memory, is retried up to `retries` times.
    https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
    """
    return {
        "rules": [
            {"action": "Ignore", "on_pod_conditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "Ignore", "on_exit_codes": _any_of(container, PLATFORM_EXIT_CODES)},
            {"action": "FailJob", "on_exit_codes": _any_of(container, FINAL_EXIT_CODES)},
        ]
    }


def _any_of(container: str, codes: Sequence[int]) -> k8s.batch.v1.PodFailurePolicyOnExitCodesRequirementArgsDict:
    return {"container_name": container, "operator": "In", "values": list(codes)}


def devices(training: TrainingSettings) -> Mapping[str, str]:
    """Return the number of devices by resource name, as the device plugins of the nodes announce them."""
    wanted = training.accelerator
    accelerators = {ACCELERATORS[wanted.type].vendor.resource: str(wanted.count)} if wanted else {}
    return {**accelerators, **({EFA_RESOURCE: str(training.efa)} if training.efa else {})}


class Training(pulumi.ComponentResource):
    """The CronJobs of a project's training.

    Conductor and worker have as much memory as the training, because they hold the same data.
    """

    def __init__(self, name: str, args: PartArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ProjectTraining", name, {}, opts)
        self._name, self._args = name, args
        child = pulumi.ResourceOptions(parent=self)
        conductor = self._identity(CONDUCTOR, policy_of_conductor(args), on_cluster=True)
        conducting = Conducting(f"{name}-conducting", args.namespace, conductor.service_account, child)
        fit = self._identity(FIT, policy_of_fit(args))
        worker = self._identity(WORKER, None)
        parts = [
            self._template(FIT, self._fit_job(fit), [fit]),
            self._template(WORKER, self._worker_job(worker), [worker]),
        ]
        schedule, paused = args.project.training.schedule, args.project.training.paused
        k8s.batch.v1.CronJob(
            f"{name}-runs",
            metadata=metadata(TRAINING, args.namespace, labels(args.project, TRAINING)),
            spec={
                "schedule": schedule or NO_SCHEDULE,
                "time_zone": "Etc/UTC",
                "suspend": schedule is None or paused,
                "concurrency_policy": "Forbid",
                "starting_deadline_seconds": START_WITHIN_SECONDS,
                "successful_jobs_history_limit": KEPT_RUNS,
                "failed_jobs_history_limit": KEPT_RUNS,
                "job_template": {
                    "metadata": {"labels": labels(args.project, TRAINING)},
                    "spec": self._conductor_job(conductor),
                },
            },
            # The first run may start at once.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[conductor, conducting, *parts, *args.after], hooks=args.runtime.hooks
            ),
        )
        self.register_outputs({})

    def _identity(self, part: str, policy: pulumi.Input[str] | None, *, on_cluster: bool = False) -> Identity:
        return Identity(
            f"{self._name}-{part}",
            IdentityArgs(part=self._args, name=part, policy=policy, on_cluster=on_cluster),
            pulumi.ResourceOptions(parent=self),
        )

    def _template(
        self, part: str, spec: k8s.batch.v1.JobSpecArgsDict, after: Sequence[pulumi.Resource]
    ) -> pulumi.Resource:
        """Create a CronJob that never runs by itself; conductors create Jobs from it."""
        args = self._args
        return k8s.batch.v1.CronJob(
            f"{self._name}-{part}-template",
            metadata=metadata(part, args.namespace, labels(args.project, part)),
            spec={
                "schedule": NO_SCHEDULE,
                "time_zone": "Etc/UTC",
                "suspend": True,
                "job_template": {"metadata": {"labels": labels(args.project, part)}, "spec": spec},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*after, *args.after], hooks=args.image_hooks),
        )

    def _job(
        self, part: str, pod: k8s.core.v1.PodSpecArgsDict, retries: int, kept_seconds: int
    ) -> k8s.batch.v1.JobSpecArgsDict:
        pod["restart_policy"] = "Never"
        return {
            "backoff_limit": retries,
            "active_deadline_seconds": self._args.project.training.deadline_minutes * 60,
            "ttl_seconds_after_finished": kept_seconds,
            "pod_failure_policy": failure_policy(part),
            "template": {
                "metadata": {
                    "labels": {**labels(self._args.project, part), **({} if part == WORKER else NEEDS_ROLE)},
                    # The autoscaler must not evict a run from a node because of low utilisation; the run would start
                    # again.
                    "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                },
                "spec": pod,
            },
        }

    def _conductor_job(self, identity: Identity) -> k8s.batch.v1.JobSpecArgsDict:
        args, training = self._args, self._args.project.training
        container = project_container(
            CONDUCTOR,
            args.runtime.reference,
            CONDUCTOR_MODULE,
            [*run_entries(), *entries(conductor_variables(args))],
            sized(Resources(cpu=CONDUCTOR_CPU, memory=training.resources.memory)),
        )
        pod = project_pod(identity.service_account, args.platform.priority_classes[TRAINING], container)
        pod["automount_service_account_token"] = True
        pod["termination_grace_period_seconds"] = CONDUCTOR_GRACE_SECONDS
        return self._job(CONDUCTOR, pod, training.retries, KEPT_SECONDS)

    def _fit_job(self, identity: Identity) -> k8s.batch.v1.JobSpecArgsDict:
        args, training = self._args, self._args.project.training
        container = project_container(
            FIT,
            args.image,
            FIT_MODULE,
            [*job_entries(), *entries(fit_variables(args))],
            sized(training.resources, devices(training)),
        )
        pod = project_pod(identity.service_account, args.platform.priority_classes[TRAINING], container)
        if training.accelerator:
            taint = ACCELERATORS[training.accelerator.type].vendor.taint
            pod["node_selector"] = {LABEL: training.accelerator.type}
            pod["tolerations"] = [{"key": taint.key, "operator": "Exists", "effect": taint.effect}]
        return self._job(FIT, pod, training.retries, KEPT_PARTS_SECONDS)

    def _worker_job(self, identity: Identity) -> k8s.batch.v1.JobSpecArgsDict:
        args, training = self._args, self._args.project.training
        container = project_container(
            WORKER,
            args.image,
            WORKER_MODULE,
            entries(worker_variables(args)),
            sized(Resources(cpu=WORKER_CPU, memory=training.resources.memory)),
        )
        container["ports"] = [{"name": "http", "container_port": WORKER_PORT}]
        container["readiness_probe"] = {"http_get": {"path": "/healthz", "port": "http"}, "period_seconds": 1}
        pod = project_pod(identity.service_account, args.platform.priority_classes[TRAINING], container)
        pod["termination_grace_period_seconds"] = WORKER_GRACE_SECONDS
        return self._job(WORKER, pod, 0, KEPT_PARTS_SECONDS)
