"""The program warns before AWS drops a version, and fails after that; the date can be set."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pulumi
import pytest
from typer.testing import CliRunner

from mlp.app import make_app
from mlp.doctor import environment as doctor_environment
from mlp.recording import configuration, run_main
from stacks.settings import SettingsError, parse_settings
from stacks.support import check_support, notices, today
from tests.unit.stacks.examples import SOUND, spoiled

DAY = date(2026, 11, 30)


def fields(day: date, *changes: tuple[str, object]) -> list[tuple[str, str]]:
    return [(each.level, each.field) for each in notices(parse_settings(spoiled(*changes), "test"), day)]


def test_every_version_of_the_settings_is_judged():
    old = (
        ("cluster.version", "1.34"),
        ("cluster.gpu_pools.l4.version", "1.33"),
        ("database.engine_version", "15.14"),
    )
    assert fields(DAY) == []
    assert fields(DAY, *old) == [
        ("warning", "cluster.version"),
        ("error", "cluster.gpu_pools.l4.version"),
        ("error", "database.engine_version"),
    ]
    assert fields(DAY, *old, ("cluster.upgrade_policy", "extended"))[0] == ("warning", "cluster.gpu_pools.l4.version")


def test_the_day_is_the_machines_unless_a_variable_says_another():
    assert abs(today({}) - datetime.now(UTC).date()) <= timedelta(days=1)
    assert today({"MLP_TODAY": "2027-06-01"}) == date(2027, 6, 1)
    with pytest.raises(SettingsError, match=r"MLP_TODAY: got 'tomorrow'; write a day such as 2027-06-01, or unset it"):
        today({"MLP_TODAY": "tomorrow"})


def test_warnings_are_said_and_errors_end_the_program(monkeypatch: pytest.MonkeyPatch):
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    check_support(parse_settings(spoiled(("cluster.version", "1.34")), "test"), DAY)
    assert [line.partition(":")[0] for line in warned] == ["cluster.version"]
    with pytest.raises(SettingsError) as refused:
        check_support(parse_settings(spoiled(("database.engine_version", "15.14")), "test"), DAY)
    first, second = str(refused.value).splitlines()
    assert first == "stacks/Pulumi.prod.yaml, on 2026-11-30"
    assert second.startswith(
        "  database.engine_version: Amazon RDS creates PostgreSQL 15.14 no more from 2026-10-01 on"
    )
    check_support(parse_settings(SOUND, "test"), DAY)
    assert len(warned) == 1


def test_the_program_asks_before_it_makes_anything(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLP_TODAY", "2027-08-03")
    with pytest.raises(
        pulumi.RunError, match=r"cluster\.version: Amazon EKS's standard support of Kubernetes 1\.36 ended"
    ):
        run_main("dev", configuration("dev"))


def test_doctor_says_the_same_of_an_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor_environment, "_client", lambda environment: (None, "nobody"))

    def doctor(*arguments: str) -> Any:
        return CliRunner().invoke(make_app(), ["doctor", "--env", "dev", *arguments], env={"COLUMNS": "200"})

    assert doctor().exit_code == 0
    monkeypatch.setenv("MLP_TODAY", "2027-07-01")
    warned = doctor()
    assert warned.exit_code == 0
    assert (
        "warning: cluster.version: Amazon EKS's standard support of Kubernetes 1.36 ends on 2027-08-02" in warned.output
    )
    monkeypatch.setenv("MLP_TODAY", "2027-08-03")
    over = doctor("--json")
    assert over.exit_code == 1
    assert [each["level"] for each in json.loads(over.stdout)["versions"]] == ["error"]
