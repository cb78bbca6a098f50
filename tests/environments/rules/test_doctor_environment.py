"""`mlp doctor --env`: quotas of the caller's account, from the real emulator's answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlp.app import make_app
from mlp.doctor import environment as doctor_environment
from mlp.doctor.quotas import check_quotas
from sandbox.tests.unit.emulator.emulated import Emulated
from stacks.settings import parse_settings
from tests.unit.stacks.examples import SOUND

SETTINGS = parse_settings(SOUND, "test")


@pytest.fixture
def emulated(tmp_path: Any) -> Any:
    made = Emulated(tmp_path).start()
    yield made
    made.service.close()


@pytest.fixture
def doctor(emulated: Emulated, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    quotas = emulated.client("service-quotas")
    monkeypatch.setattr(doctor_environment, "_client", lambda environment: (quotas, "as somebody"))
    return lambda *arguments: CliRunner().invoke(make_app(), ["doctor", *arguments], env={"COLUMNS": "200"})


def test_an_environment_whose_least_nodes_cannot_start_is_no_environment_that_can_be_deployed(
    doctor: Callable[..., Result], emulated: Emulated
):
    done = doctor("--env", "prod")
    assert done.exit_code == 1
    assert "error: Running On-Demand G and VT instances (L-DB2E81BA): the account may run 0 vCPUs" in done.output
    assert "warning: Running On-Demand P instances (L-417A185B)" in done.output
    client = emulated.client("service-quotas")
    for code, value in (("L-DB2E81BA", 8.0), ("L-1216C47A", 24.0)):
        client.request_service_quota_increase(ServiceCode="ec2", QuotaCode=code, DesiredValue=value)
    again = doctor("--env", "prod", "--json")
    assert again.exit_code == 0
    rows = {row["code"]: row for row in json.loads(again.stdout)["quotas"]}
    assert (rows["L-DB2E81BA"]["at_minimum"], rows["L-DB2E81BA"]["granted"]) == (8, 8.0)
    assert "max_size needs" in rows["L-DB2E81BA"]["problem"]


def test_without_credentials_it_says_what_will_be_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor_environment, "_client", lambda environment: (None, "no AWS credentials: sign in"))
    done = CliRunner().invoke(make_app(), ["doctor", "--env", "dev"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "no AWS credentials: sign in" in done.output
    assert "unknown" in done.output


def test_an_environment_that_there_is_not_is_named():
    done = CliRunner().invoke(make_app(), ["doctor", "--env", "qa"])
    assert done.exit_code == 1
    assert "'qa'" in done.output


def test_an_account_that_does_not_answer_is_told_and_stops_nothing(emulated: Emulated):
    class Silent:
        def get_service_quota(self, **_: Any) -> Any:
            return emulated.client("service-quotas").list_service_quotas(ServiceCode="rds")

        get_aws_default_service_quota = get_service_quota

    found = check_quotas(SETTINGS, Silent())
    assert found
    assert all(not each.stops and each.problem and "cannot be read" in each.problem for each in found)
