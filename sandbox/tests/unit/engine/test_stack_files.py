"""Stack files with secrets under a team's KMS key: the sandbox uses them and never changes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlp_sandbox.engine.stack_files import is_foreign, usable
from mlp_sandbox.instance import Instance
from mlp_sandbox.shared_gateways import SHARED_GATEWAYS

LOCAL = "config:\n  a:b: 1\nencryptionsalt: v1:salt\n"
FOREIGN = "secretsprovider: awskms://alias/team\nencryptedkey: abc=\nconfig:\n  a:b: 1\n"


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = Instance("default", 4566, tmp_path / "home")
    made.save()
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: x\nruntime: python\nstackConfigDir: stacks\n")
    (folder / "stacks" / "Pulumi.local.yaml").write_text(LOCAL)
    (folder / "stacks" / "Pulumi.team.yaml").write_text(FOREIGN)
    return folder


def test_a_file_with_the_local_passphrase_is_used_as_it_is(instance: Instance, project: Path) -> None:
    assert usable(instance, "local", project) == project / "stacks" / "Pulumi.local.yaml"


def test_a_file_under_a_kms_key_is_used_from_a_copy_and_left_alone(instance: Instance, project: Path) -> None:
    copy = usable(instance, "team", project)
    assert copy.is_relative_to(instance.home)
    content = yaml.safe_load(copy.read_text())
    assert content["config"] == {"a:b": 1}
    assert set(content) == {"config", "encryptionsalt"}
    assert (project / "stacks" / "Pulumi.team.yaml").read_text() == FOREIGN


def test_the_copy_follows_the_file(instance: Instance, project: Path) -> None:
    usable(instance, "team", project)
    (project / "stacks" / "Pulumi.team.yaml").write_text(FOREIGN.replace("b: 1", "b: 2"))
    assert yaml.safe_load(usable(instance, "team", project).read_text())["config"] == {"a:b": 2}


def connected(*gateways: str) -> str:
    connections = {f"to-{number}": {"gateway": each, "cidrs": {}} for number, each in enumerate(gateways)}
    return yaml.safe_dump({"config": {"a:platform": {"network": {"connections": connections}}}})


def gateways_of(stack_file: Path) -> list[str]:
    content = yaml.safe_load(stack_file.read_text())
    return [each["gateway"] for each in content["config"]["a:platform"]["network"]["connections"].values()]


def test_shared_transit_gateways_stand_for_gateways_that_only_the_team_has(instance: Instance, project: Path) -> None:
    written = connected("tgw-0aaaaaaaaaaaaaaaa", SHARED_GATEWAYS[0], "pcx-0bbbbbbbbbbbbbbbb")
    stack_file = project / "stacks" / "Pulumi.local.yaml"
    stack_file.write_text(written)
    copy = usable(instance, "local", project)
    assert gateways_of(copy) == [SHARED_GATEWAYS[1], SHARED_GATEWAYS[0], SHARED_GATEWAYS[2]]
    assert not is_foreign(copy)
    assert stack_file.read_text() == written


def test_a_file_that_names_shared_gateways_is_used_as_it_is(instance: Instance, project: Path) -> None:
    stack_file = project / "stacks" / "Pulumi.local.yaml"
    stack_file.write_text(connected(SHARED_GATEWAYS[0]))
    assert usable(instance, "local", project) == stack_file


def test_the_copy_itself_is_not_foreign(instance: Instance, project: Path) -> None:
    assert not is_foreign(usable(instance, "team", project))
