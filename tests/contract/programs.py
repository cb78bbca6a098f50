"""The whole program, run once for every committed stack file against a recording cloud."""

import functools
from dataclasses import dataclass

from mlp.recording import PROJECT, ROOT, Recorded, configuration, run_main
from stacks.settings import PlatformSettings, parse_settings

STACKS = sorted(path.name.split(".")[1] for path in (ROOT / "stacks").glob("Pulumi.*.yaml"))
PLATFORM = f"{PROJECT}:platform"
COMPONENT = "mlops:index:"


@dataclass(frozen=True)
class Program:
    stack: str
    settings: PlatformSettings
    resources: tuple[Recorded, ...]

    def of_type(self, token: str) -> list[Recorded]:
        return [resource for resource in self.resources if resource.typ == token]

    @property
    def aws(self) -> list[Recorded]:
        return [resource for resource in self.resources if resource.typ.startswith("aws:")]


@functools.cache
def program(stack: str) -> Program:
    config = configuration(stack)
    cloud = run_main(stack, config)
    return Program(stack, parse_settings(config[PLATFORM], stack), tuple(cloud.resources))
