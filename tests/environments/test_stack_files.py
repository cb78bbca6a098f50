"""A team's stack files, with secrets under a KMS key of the team's account, work here unchanged."""

from __future__ import annotations

from pathlib import Path

from mlp_sandbox.engine.stack_files import usable
from mlp_sandbox.testing.box import Box, new_program

FOREIGN = "secretsprovider: awskms://alias/team?region=us-east-1\nencryptedkey: QUJDRA==\n"


def test_the_engine_uses_the_copy_that_the_environment_names(box: Box, tmp_path: Path) -> None:
    program = new_program(box, tmp_path / "team")
    program.write('aws.cloudwatch.LogGroup("team", retention_in_days=config.require_int("days"), opts=options)')
    settings = FOREIGN + f"config:\n  {(tmp_path / 'team').name}:days: 14\n"
    committed = program.folder / "Pulumi.test.yaml"
    name = next(line for line in (program.folder / "Pulumi.yaml").read_text().splitlines() if line.startswith("name"))
    committed.write_text(settings.replace("team:days", f"{name.removeprefix('name: ')}:days"))
    before = committed.read_text()
    copy = usable(box.instance, "test", program.folder)
    assert "error" in program.preview(ok=False)
    assert "3 to create" in program.preview(PULUMI_OPTION_CONFIG_FILE=str(copy))
    assert committed.read_text() == before
