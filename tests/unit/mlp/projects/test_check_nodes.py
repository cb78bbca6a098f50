"""The check reports pods that fit no node of an environment, by the program's own rule of accelerators."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.eks.arguments import NodePool
from components.eks.pool_spec import NodePoolSpec
from ml_workloads.deployment.workloads import impossible
from ml_workloads.project import Project, parse_project
from mlp.environments import STACKS
from mlp.projects.check_nodes import Pool, check_nodes, pools_of
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.platform_services.clusters import pool
from validation.errors import SettingsError


def project(cpu: str = "1", memory: str = "1Gi", accelerator: dict[str, Any] | None = None, efa: int = 0) -> Project:
    resources = {"cpu": cpu, "memory": memory}
    training = {**SOUND["training"], "resources": resources, "accelerator": accelerator, "efa": efa}
    quota = {"cpu": "999", "memory": "9999Gi", "accelerators": 99, "efa": 99}
    return parse_project({**SOUND, "training": training, "quota": quota}, "test")


def problems(wanted: Project, pools: tuple[Pool, ...]) -> list[str]:
    return [each.said for each in check_nodes(wanted, "dev", pools) if each.state == "problem"]


DEV = pools_of("dev", STACKS)


def test_a_node_offers_what_is_left_beside_the_system():
    (general,) = [pool for pool in DEV if pool.name == "general"]
    assert general.instance_type.endswith(".large")
    assert Decimal("1.8") < general.cpu < 2
    assert 5 * 1024 < general.memory < 8 * 1024


@pytest.mark.parametrize(
    ("cpu", "memory", "fits"),
    [("500m", "1Gi", True), ("2", "1Gi", False), ("1.9", "1Gi", True), ("1", "8Gi", False), ("1", "5Gi", True)],
)
def test_training_fits_or_is_told_with_what_there_is(cpu: str, memory: str, fits: bool):
    found = problems(project(cpu, memory), DEV)
    assert found == [] if fits else "fit on no node of dev" in found[0]


def test_a_pool_with_a_taint_or_an_accelerator_takes_no_other_pods():
    huge = replace(DEV[0], cpu=Decimal(190), memory=10**6)
    accelerated = replace(huge, accelerator="nvidia-l4", devices=8, taints=frozenset())
    reserved = replace(huge, accelerator="none", devices=0, taints=frozenset({"team"}))
    pools = (*DEV, accelerated, reserved)
    assert problems(project("8", "30Gi"), pools)
    assert not problems(project("8", "5Gi", {"type": "nvidia-l4", "count": 8}), pools)


def test_the_pod_that_conducts_a_run_has_the_memory_of_the_training_and_needs_a_plain_node_for_it():
    accelerated = replace(DEV[0], cpu=Decimal(190), memory=10**6, accelerator="nvidia-l4", devices=8)
    wanted = project("8", "30Gi", {"type": "nvidia-l4"})
    [said] = problems(wanted, (*DEV, accelerated))
    assert said.startswith(
        "training.resources.memory, of the pod that conducts the run: 250m cores and 30Gi fit on no node of dev"
    )
    assert not problems(wanted, (replace(DEV[0], memory=40_000), accelerated))


@pytest.mark.parametrize(
    ("accelerator", "count"), [("nvidia-l4", 1), ("nvidia-l4", 2), ("nvidia-h100", 1), ("aws-trainium", 16)]
)
@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_accelerators_are_judged_as_the_program_judges_them(environment: str, accelerator: str, count: int):
    wanted = project(accelerator={"type": accelerator, "count": count})
    content = yaml.safe_load((STACKS / f"Pulumi.{environment}.yaml").read_text())
    clusters = content["config"]["ml-platform:platform"]["cluster"]
    pools = [
        NodePool(name=name, spec=NodePoolSpec.model_validate(each), default_zones=(), default_version="1.36")
        for name, each in {"general": clusters["general_pool"], **clusters.get("gpu_pools", {})}.items()
    ]
    program = list(impossible([wanted], environment, pools))
    ours = [each for each in problems(wanted, pools_of(environment, STACKS)) if "has no pool with" in each]
    assert bool(program) == bool(ours)


@pytest.mark.parametrize(
    ("accelerator", "efa", "said"),
    [
        ({"type": "nvidia-h100", "count": 8}, 32, ""),
        ({"type": "nvidia-h100", "count": 8}, 0, ""),
        ({"type": "nvidia-l4"}, 1, "has no pool with 1 EFA interfaces in a node beside 1 nvidia-l4, at the most 0"),
        (None, 2, "has no pool with 2 EFA interfaces in a node, at the most 1"),
        (None, 1, ""),
    ],
)
def test_efa_is_judged_as_the_program_judges_it(accelerator: dict[str, Any] | None, efa: int, said: str):
    wanted = project(accelerator=accelerator, efa=efa)
    made = [
        pool("h100", "p5.48xlarge", "nvidia-h100", efa=True),
        pool("l4", "g6.8xlarge", "nvidia-l4"),
        pool("fast", "m7i.48xlarge", efa=True),
    ]
    pools = tuple(
        replace(
            DEV[0],
            name=each.name,
            accelerator=each.spec.accelerator,
            devices=each.spec.devices,
            efa=each.spec.efa_interfaces,
            taints=frozenset(),
        )
        for each in made
    )
    for found in (problems(wanted, pools), list(impossible([wanted], "dev", made))):
        assert found == [] if not said else said in found[0]


def test_an_environment_without_settings_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"stacks/Pulumi\.dev\.yaml"):
        pools_of("dev", tmp_path)


def test_a_stack_file_in_another_encoding_is_named(tmp_path: Path):
    (tmp_path / "Pulumi.dev.yaml").write_bytes("# für\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"^stacks/Pulumi\.dev\.yaml: byte 3 is not UTF-8; save the file as UTF-8$"):
        pools_of("dev", tmp_path)
