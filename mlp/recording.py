"""Recording mocks of Pulumi: the program runs without an engine, nothing is created, and its resources are recorded."""

import asyncio
import gc
import json
import os
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

from mlp.environments import PROGRAM, ROOT, stack_file
from stacks.pinned_images import ALLOWED, VARIABLE

ACCOUNT = "123456789012"
PROJECT = PROGRAM
Inputs = dict[str, Any]
Program = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Registered resource: its type, inputs, parent and options."""

    typ: str
    name: str
    urn: str
    parent: str
    provider: str
    custom: bool
    protect: bool
    depends_on: tuple[str, ...]
    inputs: Inputs = field(repr=False)
    ignore_changes: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    """Names of the hooks that run both before its creation and before its update."""


def outputs_of(typ: str, name: str, inputs: Inputs) -> Inputs:
    """Return the outputs that AWS adds to a resource, as far as the program reads them."""
    added: dict[str, Inputs] = {
        "aws:rds/instance:Instance": {
            "address": f"{name}.mock.us-east-1.rds.amazonaws.com",
            "endpoint": f"{name}.mock.us-east-1.rds.amazonaws.com:5432",
            "resourceId": f"db-{name}",
            "masterUserSecrets": [
                {
                    "secretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:rds!db-{name}",
                    "secretStatus": "active",
                    "kmsKeyId": inputs.get("masterUserSecretKmsKeyId"),
                }
            ],
        },
        "aws:eks/cluster:Cluster": {
            "endpoint": f"https://{name}.mock.us-east-1.eks.amazonaws.com",
            "certificateAuthority": {"data": "bW9jaw=="},
            "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.us-east-1.amazonaws.com/id/{name}"}]}],
            "vpcConfig": {**inputs.get("vpcConfig", {}), "clusterSecurityGroupId": f"sg-{name}"},
        },
        "aws:eks/nodeGroup:NodeGroup": {
            "nodeGroupName": name,
            "resources": [{"autoscalingGroups": [{"name": f"eks-{name}"}]}],
        },
        "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1, "defaultVersion": 1},
        "aws:kms/key:Key": {"keyId": f"{name}-key-id"},
        "aws:ecr/repository:Repository": {
            "repositoryUrl": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{inputs.get('name', name)}"
        },
    }
    return {"name": name, "arn": f"arn:aws:mock:::{name}", **inputs, **added.get(typ, {})}


class RecordingCloud(Mocks):
    """Mocks that record resources. Unknown invokes raise: an answer of `{}` would hide a misspelt lookup."""

    def __init__(self) -> None:
        self.resources: list[Recorded] = []
        self.hooks: dict[str, pulumi.ResourceHook] = {}
        self.invoked: list[MockCallArgs] = []
        self.answers: dict[str, Inputs] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:user/test",
                "id": ACCOUNT,
                "userId": "AIDAMOCK",
            },
            "aws:index/getPartition:getPartition": {
                "dnsSuffix": "amazonaws.com",
                "id": "aws",
                "partition": "aws",
                "reverseDnsPrefix": "com.amazonaws",
            },
        }

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, Inputs]:
        return f"{args.name}-id", outputs_of(args.typ, args.name, args.inputs)

    def call(self, args: MockCallArgs) -> tuple[Inputs, list[tuple[str, str]]]:
        self.invoked.append(args)
        if args.token not in self.answers:
            raise AssertionError(f"unmocked provider call: {args.token}")
        return self.answers[args.token], []

    def of_type(self, token: str) -> list[Recorded]:
        return [resource for resource in self.resources if resource.typ == token]

    def named(self, name: str) -> Recorded:
        found = [resource for resource in self.resources if resource.name == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} resources are named {name!r}")
        return found[0]

    def by_urn(self) -> Mapping[str, Recorded]:
        return {resource.urn: resource for resource in self.resources}


class RecordingMonitor(MockMonitor):
    """Monitor that records registration requests.

    Pulumi's mocks omit parents and protection; the requests contain them.
    """

    def __init__(self, cloud: RecordingCloud) -> None:
        super().__init__(cloud)
        self.cloud = cloud

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.cloud.resources.append(
                Recorded(
                    typ=request.type,
                    name=request.name,
                    urn=response.urn,
                    parent=request.parent,
                    provider=request.provider,
                    custom=request.custom,
                    protect=request.protect,
                    depends_on=tuple(request.dependencies),
                    inputs=rpc.deserialize_properties(request.object),
                    ignore_changes=tuple(request.ignoreChanges),
                    before=tuple(name for name in request.hooks.before_create if name in request.hooks.before_update),
                )
            )
        return response


class RecordingCallbacks:
    """Registry of hooks. Pulumi's mocks have no server for hooks; nothing calls the registered hooks."""

    def __init__(self, cloud: RecordingCloud) -> None:
        self.cloud = cloud

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        if hook.name in self.cloud.hooks:
            raise ValueError(f"resource hook already registered for name {hook.name!r}")
        self.cloud.hooks[hook.name] = hook


Deploy = Callable[..., tuple[Any, RecordingCloud]]


def run_program(program: Program, cloud: RecordingCloud, stack: str, preview: bool) -> Any:
    monitor = RecordingMonitor(cloud)
    pulumi.runtime.set_mocks(cloud, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
    settings: Any = pulumi.runtime.settings.SETTINGS
    settings.callbacks = RecordingCallbacks(cloud)
    results: list[Any] = []
    pulumi.runtime.test(lambda: results.append(program()))()
    return results[0]


def configuration(stack: str) -> dict[str, Any]:
    """Return the configuration in the committed stack file."""
    return yaml.safe_load(stack_file(stack).read_text())["config"]


def run_main(stack: str, config: dict[str, Any]) -> RecordingCloud:
    """Run `__main__.py` as the engine would, with this configuration, and return the recorded resources.

    Pulumi keeps event loop and settings in globals: each run gets its own and leaves none behind.

    Raises:
        pulumi.RunError: the settings are invalid.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    cloud = RecordingCloud()
    pulumi.runtime.set_all_config({key: json.dumps(value) for key, value in config.items()})
    before, thresholds = os.environ.get(VARIABLE), gc.get_threshold()
    # A recorded program runs no images, so unpinned ones are allowed.
    os.environ[VARIABLE] = ALLOWED
    try:
        run_program(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), cloud, stack, preview=False)
    finally:
        os.environ.pop(VARIABLE)
        os.environ.update({VARIABLE: before} if before is not None else {})
        pulumi.runtime.settings.reset_options()
        pulumi.runtime.set_all_config({})
        # The program changes the thresholds, which is meant for a process of its own.
        gc.set_threshold(*thresholds)
        loop.close()
        asyncio.set_event_loop(None)
    return cloud
