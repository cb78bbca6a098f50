"""Environment variables of a project's pods: the settings of `project.yaml`, and the addresses of the platform.

The names are those that `ml_workloads/runtime` reads. Secrets are passed as ARNs, which the pods read with their role.
No secret value passes through this module.
"""

import json
from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.deployment.arguments import PartArgs
from ml_workloads.deployment.run_policies import own_arns
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
    """Return the variables of a conductor, except those that only the pod itself knows (see `run_entries`)."""
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
    """Return the variables of a training pod, except TRAINING_JOB, which only the pod itself knows (see `job_entries`).

    A training pod has no MLflow account; it uses an MLflow address of its own.
    """
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
    """Return the variables of a worker.

    They hold nothing about AWS: a worker has no role there and no network route to it.
    """
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
    """Return the variables of a server. `shutdown_seconds` is its time limit for open requests after SIGTERM."""
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
    """Return the source of the project's data as a document for the conductor."""
    source = args.project.data.source
    if isinstance(source, LocalSource):
        return {"type": "local", "path": source.path}
    if isinstance(source, S3Source):
        key = data_prefix(args.project.name) + source.path
        return {"type": "s3", "bucket": args.platform.data_lake.name, "key": key}
    return {"type": "sql", "secret": args.secret_arns[source.secret], "query": source.query}


def gate_document(gate: GateSettings) -> Mapping[str, str | float]:
    """Return the quality gate as a document."""
    return {"metric": gate.metric, "bound": gate.bound, "max_regression": gate.max_regression}


def entries(variables: Variables) -> list[k8s.core.v1.EnvVarArgsDict]:
    """Return the variables for a container's `env`, escaped so that the container reads each value unchanged."""
    return [{"name": name, "value": _as_written(value)} for name, value in variables.items()]


def escaped(text: str) -> str:
    """Escape a text for a container's `env`, so that the container reads the text unchanged.

    The kubelet replaces `$(NAME)` by the value of another variable, if that variable exists, and `$$` by `$`. It reads
    from left to right, so a text in which every `$` is doubled comes out unchanged, whatever else it contains.
    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return text.replace("$", "$$")


def _as_written(value: pulumi.Input[str]) -> pulumi.Input[str]:
    return escaped(value) if isinstance(value, str) else pulumi.Output.from_input(value).apply(escaped)


def job_entries() -> list[k8s.core.v1.EnvVarArgsDict]:
    """Return the variable with the name of the pod's Job, which identifies all attempts of one training."""
    return [_field("TRAINING_JOB", f"metadata.labels['{JOB_LABEL}']")]


def run_entries() -> list[k8s.core.v1.EnvVarArgsDict]:
    """Return the variables that identify the run: name and UID of the pod's Job, and the namespace."""
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
        # Files are transferred through the MLflow server, whose guard hands out no URLs of the bucket.
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }


def _secrets(args: PartArgs) -> Variables:
    return {secret_variable(name): arn for name, arn in own_arns(args).items()}


def _aws(args: PartArgs) -> Variables:
    region = args.platform.cluster.region
    # boto3 reads only the second variable, AWS's other SDKs the first.
    return {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def _scratch() -> Variables:
    return {
        # Libraries write caches into the home folder, and the root file system is read-only.
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "MPLCONFIGDIR": f"{SCRATCH}/matplotlib",
        # MLflow looks for Git, which images need not have, and logs long warnings when it is missing.
        "GIT_PYTHON_REFRESH": "quiet",
    }
