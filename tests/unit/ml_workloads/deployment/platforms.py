"""A platform as the layer below would provide it, and projects deployed onto it."""

from __future__ import annotations

import asyncio
import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi_kubernetes import Provider

from components.buckets.buckets import BucketHandle
from components.eks.arguments import NodePool
from components.secrets import SecretHandle
from ml_workloads.deployment import Workloads, WorkloadsArgs, workloads
from ml_workloads.project import Project, parse_project
from mlp.recording import Recorded, RecordingCloud, run_program
from platform_services.handles import PlatformHandle, PlatformOrder, Retention, TrackingHandle
from platform_services.mlflow.accounts import MlflowAccountsArgs, account_secret, reader_secret
from platform_services.network_policies import Ranges
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.platform_services.clusters import handle, pool

L4 = pool("l4", "g6.xlarge", "nvidia-l4")
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ml-platform-dev"
ACCOUNT_SECRET = f"{SECRETS}/mlflow/accounts/churn/password-AbCdEf"
READER_SECRET = f"{SECRETS}/mlflow/accounts/churn/serving-AbCdEf"


RUNS = {"conductor": "training"}
"""The CronJobs of parts that are not called like them."""


class Accounts(pulumi.ComponentResource):
    """Stub of the component that talks to MLflow."""

    def __init__(self, name: str, args: MlflowAccountsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:MlflowAccounts", name, {}, opts)
        self.secrets = {project: _secret(account_secret(project)) for project in args.projects}
        self.readers = {project: _secret(reader_secret(project)) for project in args.projects}
        self.ready = Provider(f"{name}-ready", opts=pulumi.ResourceOptions(parent=self))  # any resource does
        self.register_outputs({})


def _secret(name: str) -> SecretHandle:
    return SecretHandle(arn=pulumi.Output.from_input(f"{SECRETS}/{name}-AbCdEf"))


def project(**changes: Any) -> Project:
    """Return the sound example with replaced sections or settings.

    `training={"schedule": None}` merges, as `serving` and `data` do; None removes a setting.
    """
    mapping = copy.deepcopy(SOUND)
    for name, change in changes.items():
        if isinstance(change, dict):
            mapping[name] = {**mapping[name], **change}
            mapping[name] = {key: value for key, value in mapping[name].items() if value is not None}
        else:
            mapping[name] = change
    return parse_project(mapping, "project.yaml")


class _Urls(dict[str, pulumi.Output[str]]):
    """Registry URLs as if every repository existed."""

    def __missing__(self, name: str) -> pulumi.Output[str]:
        return pulumi.Output.from_input(f"123456789012.dkr.ecr.us-east-1.amazonaws.com/ml-platform-dev/{name}")


def platform(*pools: NodePool, environment: str = "dev", protect: bool = False) -> PlatformHandle:
    """Return the platform's handle. Call it inside the program: outputs belong to the loop that creates them."""

    def known(text: str) -> pulumi.Output[Any]:
        return pulumi.Output.from_input(text)

    prefix = f"ml-platform-{environment}"
    return PlatformHandle(
        environment=environment,
        prefix=prefix,
        cluster=handle(*pools),
        ranges=Ranges(vpc="10.10.0.0/16", endpoints=("10.10.0.0/20",), kubernetes=("172.20.0.1/32",)),
        namespaces={},
        priority_classes={name: known(name) for name in ("serving", "platform", "training")},
        repository_urls=_Urls(),
        data_lake=BucketHandle(name=known("lake"), arn=known("arn:aws:s3:::lake")),
        data_key_arn=known("arn:aws:kms:us-east-1:123456789012:key/data"),
        secrets_key_arn=known("arn:aws:kms:us-east-1:123456789012:key/secrets"),
        tracking=TrackingHandle(
            uri="http://mlflow.ml-platform.svc.cluster.local:5000",
            namespace="ml-platform",
            labels={"app.kubernetes.io/name": "mlflow"},
            port=5000,
            image=known("mlflow:1"),
            admin_secret_arn=known(f"{SECRETS}/mlflow/admin-AbCdEf"),
        ),
        retention=Retention(protect=protect, recovery_window_days=0),
    )


def order() -> PlatformOrder:
    """Return stand-ins for what workloads wait for. Call it inside the program."""
    return PlatformOrder(admission=(Provider("admission"),), tracking=(Provider("mlflow"),))


def image_sources(root: Path, *names: str) -> Path:
    """Write the sources of projects' images into the test's own folder."""
    runtime = root / "ml_workloads" / "runtime"
    runtime.mkdir(parents=True)
    (root / "ml_workloads" / "__init__.py").touch()
    (runtime / "gate.py").touch()
    (runtime / "Dockerfile").write_text("FROM scratch\n")
    for name in names:
        folder = root / "ml_workloads" / "projects" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text("FROM scratch\n")
    return root


class Deployed:
    """The recorded deployment of projects; by default of the sound example alone."""

    def __init__(self, cloud: RecordingCloud, made: Workloads) -> None:
        self.cloud, self.made = cloud, made

    def kind(self, kind: str, name: str | None = None) -> Recorded:
        found = [
            each
            for each in self.cloud.resources
            if each.inputs.get("kind") == kind and name in (None, each.inputs["metadata"]["name"])
        ]
        assert len(found) == 1, f"{len(found)} objects are {kind} {name or ''}"
        return found[0]

    def kinds(self, kind: str) -> list[Recorded]:
        return [each for each in self.cloud.resources if each.inputs.get("kind") == kind]

    def job(self, part: str) -> dict[str, Any]:
        """Return the Job spec of conductors, of training pods, or of workers."""
        return self.kind("CronJob", RUNS.get(part, part)).inputs["spec"]["jobTemplate"]["spec"]

    def pod(self, part: str) -> dict[str, Any]:
        """Return the pod spec of conductors, training pods, workers or servers."""
        return self.serving_pod if part == "serving" else self.job(part)["template"]["spec"]

    @property
    def serving_pod(self) -> dict[str, Any]:
        return self.kind("Deployment").inputs["spec"]["template"]["spec"]


def deployed(
    *projects: Project, pools: tuple[NodePool, ...] = (L4,), environment: str = "dev", protect: bool = False
) -> Deployed:
    """Deploy each combination once: tests only read the recording."""
    wanted = projects or (project(),)
    key = repr((wanted, pools, environment, protect))
    if key not in _DEPLOYED:
        _DEPLOYED[key] = _deploy(wanted, pools, environment, protect)
    return _DEPLOYED[key]


_DEPLOYED: dict[str, Deployed] = {}


def _deploy(wanted: tuple[Project, ...], pools: tuple[NodePool, ...], environment: str, protect: bool) -> Deployed:
    """Deploy on a separate loop, as every program needs: Pulumi keeps loop and settings in globals."""
    cloud, loop = RecordingCloud(), asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with tempfile.TemporaryDirectory() as folder, patch.object(workloads, "MlflowAccounts", Accounts):
            root = image_sources(Path(folder), *(each.name for each in wanted))

            def program() -> Workloads:
                below = platform(*pools, environment=environment, protect=protect)
                here = tuple(each for each in wanted if environment in each.environments)
                args = WorkloadsArgs(platform=below, order=order(), projects=here, root=root)
                return Workloads("workloads", args, pulumi.ResourceOptions(providers=[Provider("kubernetes")]))

            return Deployed(cloud, run_program(program, cloud, environment, preview=False))
    finally:
        pulumi.runtime.settings.reset_options()
        loop.close()
        asyncio.set_event_loop(None)


def variables(pod: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a pod's container, as far as its manifest sets it."""
    [container] = pod["containers"]
    found: dict[str, str] = {}
    for each in container["env"]:
        if "value" in each:
            found[each["name"]] = expanded(each["value"], found)
    return found


def expanded(text: str, known: Mapping[str, str]) -> str:
    """Return a value of `env` as the kubelet expands it; `known` holds the variables before it.

    https://github.com/kubernetes/kubernetes/blob/v1.36.0/third_party/forked/golang/expansion/expand.go
    """
    found, place = "", 0
    while place < len(text):
        if text[place] != "$" or place + 1 == len(text):
            found, place = found + text[place], place + 1
        elif text[place + 1] == "(" and ")" in text[place:]:
            end = text.index(")", place)
            name = text[place + 2 : end]
            found, place = found + known.get(name, f"$({name})"), end + 1
        else:
            found, place = found + ("$" if text[place + 1] == "$" else text[place : place + 2]), place + 2
    return found
