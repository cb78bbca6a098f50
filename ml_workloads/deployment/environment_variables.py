"""The environment of a project's pods: its file, in the words of `ml_workloads/runtime`, and where the platform is.

Secrets are named by their ARNs, which pods read by role: no value passes through here.
"""

import json
from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.deployment.arguments import PartArgs
from ml_workloads.deployment.run_rights import own_arns
from ml_workloads.project.data import LocalSource, S3Source
from ml_workloads.project.deployment_names import (
    PRODUCTION,
    SERVING_PORT,
    TRAINED,
    WORKER_PORT,
    data_prefix,
    secret_variable,
)
from ml_workloads.project.serving import OnlineSettings
from ml_workloads.project.training import GateSettings
from ml_workloads.runtime.handover import keys

Variables = Mapping[str, pulumi.Input[str]]
Document = Mapping[str, pulumi.Input[str]]

SCRATCH = "/tmp"  # noqa: S108 - a volume of the pod's own
JOB_LABEL, JOB_UID_LABEL = "batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"
# Kubernetes gives huge pages only to pods that ask for an amount of them; without them EFA uses ordinary memory.
# https://github.com/ofiwg/libfabric/blob/main/man/fi_efa.7.md
EFA_VARIABLES = {"FI_EFA_USE_HUGE_PAGE": "0"}


def conductor_variables(args: PartArgs) -> Variables:
    """All but what only the pod itself knows."""
    project = args.project
    training, data = project.training, project.data
    return {
        "CONDUCTOR_PROJECT": project.name,
        "CONDUCTOR_BUCKET": args.platform.data_lake.name,
        "CONDUCTOR_REVISION": args.revision,
        "CONDUCTOR_DATA": pulumi.Output.json_dumps(data_document(args)),
        "CONDUCTOR_TARGET": data.target,
        "CONDUCTOR_MISSING_VALUES": json.dumps(data.missing_values),
        "CONDUCTOR_TRUSTED_TYPES": json.dumps(training.trusted_types),
        "CONDUCTOR_HOLDOUT": str(training.holdout),
        "CONDUCTOR_GATE": pulumi.Output.json_dumps(gate_document(training.gate)),
        "CONDUCTOR_ALIAS": TRAINED,
        **_tracking(args),
        **_aws(args),
        **_scratch(),
    }


def fit_variables(args: PartArgs) -> Variables:
    """All but TRAINING_JOB, which only the pod itself knows. MLflow's address is the pod's own: it has no account."""
    project = args.project
    training, data = project.training, project.data
    return {
        "TRAINING_PROJECT": project.name,
        "TRAINING_BUCKET": args.platform.data_lake.name,
        "TRAINING_CONTRACT": data.contract,
        "TRAINING_TARGET": data.target,
        "TRAINING_ENTRYPOINT": training.entrypoint,
        "TRAINING_GATE": pulumi.Output.json_dumps(gate_document(training.gate)),
        "TRAINING_HOLDOUT": str(training.holdout),
        "TRAINING_TRUSTED_TYPES": json.dumps(training.trusted_types),
        "TRAINING_CHECKPOINTS": pulumi.Output.format(
            "s3://{0}/{1}", args.platform.data_lake.name, keys.checkpoints(project.name)
        ),
        **(EFA_VARIABLES if training.efa else {}),
        **_secrets(args),
        **_aws(args),
        **_scratch(),
    }


def worker_variables(args: PartArgs) -> Variables:
    """Nothing of AWS: a worker has no role there, and no way to it."""
    project = args.project
    source = project.data.source
    return {
        "WORKER_CONTRACT": project.data.contract,
        "WORKER_TRUSTED_TYPES": json.dumps(project.training.trusted_types),
        **({"WORKER_DATA": source.path} if isinstance(source, LocalSource) else {}),
        "WORKER_HOST": "0.0.0.0",  # noqa: S104 - network policies let conductors through to it only
        "WORKER_PORT": str(WORKER_PORT),
        **_scratch(),
    }


def serving_variables(args: PartArgs, online: OnlineSettings, shutdown_seconds: int) -> Variables:
    return {
        "SERVING_MODEL": args.project.name,
        "SERVING_ALIAS": PRODUCTION,
        "SERVING_TRUSTED_TYPES": json.dumps(args.project.training.trusted_types),
        "SERVING_HOST": "0.0.0.0",  # noqa: S104 - network policies say who gets through to it
        "SERVING_PORT": str(SERVING_PORT),
        "SERVING_MAX_CONCURRENCY": str(online.max_concurrency),
        "SERVING_SHUTDOWN_SECONDS": str(shutdown_seconds),
        **_tracking(args),
        **_secrets(args),
        **_aws(args),
        **_scratch(),
    }


def data_document(args: PartArgs) -> Document:
    source = args.project.data.source
    if isinstance(source, LocalSource):
        return {"type": "local", "path": source.path}
    if isinstance(source, S3Source):
        key = data_prefix(args.project.name) + source.path
        return {"type": "s3", "bucket": args.platform.data_lake.name, "key": key}
    return {"type": "sql", "secret": args.secret_arns[source.secret], "query": source.query}


def gate_document(gate: GateSettings) -> Mapping[str, str | float | None]:
    """The schema sees to it that there is exactly one of the two bounds."""
    bound = gate.maximum if gate.minimum is None else gate.minimum
    return {"metric": gate.metric, "bound": bound, "max_regression": gate.max_regression}


def entries(variables: Variables) -> list[k8s.core.v1.EnvVarArgsDict]:
    """Return the variables for a container's `env`, such that the container reads each value as it is here."""
    return [{"name": name, "value": _as_written(value)} for name, value in variables.items()]


def escaped(text: str) -> str:
    """Return what a container's `env` says so that the container reads the text itself.

    The kubelet replaces `$(NAME)` by another variable, where there is one, and `$$` by `$`. It reads from left to
    right, so a text in which every `$` is doubled comes out as it was, whatever else stands in it.
    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return text.replace("$", "$$")


def _as_written(value: pulumi.Input[str]) -> pulumi.Input[str]:
    return escaped(value) if isinstance(value, str) else pulumi.Output.from_input(value).apply(escaped)


def job_entries() -> list[k8s.core.v1.EnvVarArgsDict]:
    """The name of the pod's Job, so that all attempts of a training know that they are the same one."""
    return [_field("TRAINING_JOB", f"metadata.labels['{JOB_LABEL}']")]


def run_entries() -> list[k8s.core.v1.EnvVarArgsDict]:
    """The pod's Job, which is the run, and where it is."""
    return [
        _field("CONDUCTOR_JOB", f"metadata.labels['{JOB_LABEL}']"),
        _field("CONDUCTOR_JOB_UID", f"metadata.labels['{JOB_UID_LABEL}']"),
        _field("CONDUCTOR_NAMESPACE", "metadata.namespace"),
    ]


def _field(name: str, path: str) -> k8s.core.v1.EnvVarArgsDict:
    return {"name": name, "value_from": {"field_ref": {"field_path": path}}}


def _tracking(args: PartArgs) -> Variables:
    return {
        "MLFLOW_TRACKING_URI": args.platform.tracking.uri,
        "TRACKING_ACCOUNT": args.account_secret_arn,
        # Files go through the server, whose guard hands out no addresses of the bucket.
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }


def _secrets(args: PartArgs) -> Variables:
    return {secret_variable(name): arn for name, arn in own_arns(args).items()}


def _aws(args: PartArgs) -> Variables:
    region = args.platform.cluster.region
    # boto3 reads the second only, AWS's other SDKs the first.
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _scratch() -> Variables:
    return {
        # Libraries write caches into the home folder, and the root file system cannot be written to.
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "MPLCONFIGDIR": f"{SCRATCH}/matplotlib",
        # MLflow looks for Git, which images need not have, and says a lot when it finds none.
        "GIT_PYTHON_REFRESH": "quiet",
    }
