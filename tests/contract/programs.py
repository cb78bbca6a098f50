"""The whole program, run once for every committed stack file against a recording cloud."""

import asyncio
import functools
import json
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import yaml

from stacks.settings import PlatformSettings, parse_settings
from tests.recording import PROJECT, Recorded, RecordingCloud, run_program

ROOT = Path(__file__).parents[2]
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


def configuration(stack: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]


def run_main(stack: str, config: dict[str, Any]) -> RecordingCloud:
    """`__main__.py` as the engine would run it, with this configuration."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    cloud = RecordingCloud()
    pulumi.runtime.set_all_config({key: json.dumps(value) for key, value in config.items()})
    try:
        run_program(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"), cloud, stack, preview=False)
    finally:
        pulumi.runtime.settings.reset_options()
        pulumi.runtime.set_all_config({})
        loop.close()
        asyncio.set_event_loop(None)
    return cloud


@functools.cache
def program(stack: str) -> Program:
    config = configuration(stack)
    cloud = run_main(stack, config)
    return Program(stack, parse_settings(config[PLATFORM], stack), tuple(cloud.resources))
