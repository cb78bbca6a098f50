"""Minor versions of PostgreSQL that AWS has retired: no creation, no upgrade to them, existing instances keep them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.emulator import quotas
from sandbox.tests.unit.emulator.emulated import Emulated

LOGIN = {"MasterUsername": "mlflow", "MasterUserPassword": "long-enough"}
SIZE = {"DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20}


def create(client: Any, version: str) -> str:
    made = client.create_db_instance(
        DBInstanceIdentifier="db", Engine="postgres", EngineVersion=version, **LOGIN, **SIZE
    )
    return str(made["DBInstance"]["EngineVersion"])


def test_a_retired_version_is_neither_listed_nor_created(emulated: Emulated):
    rds = emulated.client("rds")
    listed = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15")["DBEngineVersions"]
    assert [each["EngineVersion"] for each in listed] == ["15.15", "15.16", "15.17", "15.18"]
    assert "15.14" not in [target["EngineVersion"] for target in listed[0]["ValidUpgradeTarget"]]
    with pytest.raises(ClientError, match=r"Cannot find version 15\.14 for postgres"):
        create(rds, "15.14")
    assert create(rds, "15") == "15.18"


def test_an_instance_is_not_upgraded_to_a_retired_version(emulated: Emulated):
    rds = emulated.client("rds")
    create(rds, "15.15")
    change = {"DBInstanceIdentifier": "db", "AllowMajorVersionUpgrade": True, "ApplyImmediately": True}
    with pytest.raises(ClientError, match=r"Cannot find version 16\.10 for postgres"):
        rds.modify_db_instance(**change, EngineVersion="16.10")
    assert rds.modify_db_instance(**change, EngineVersion="16.14")["DBInstance"]["EngineVersion"] == "16.14"


def test_an_account_from_before_keeps_its_instance_and_upgrades_it(emulated: Emulated, monkeypatch: pytest.MonkeyPatch):
    """A journal from the time when the version could be created still replays."""
    rules = quotas.check
    monkeypatch.setattr(quotas, "check", lambda identity, request: None)
    assert create(emulated.client("rds"), "15.14") == "15.14"
    monkeypatch.setattr(quotas, "check", rules)
    emulated.service.close()
    emulated.start()
    rds = emulated.client("rds")
    assert rds.describe_db_instances()["DBInstances"][0]["EngineVersion"] == "15.14"
    rds.modify_db_instance(DBInstanceIdentifier="db", EngineVersion="15.14", BackupRetentionPeriod=3)
    changed = rds.modify_db_instance(DBInstanceIdentifier="db", EngineVersion="15.18", ApplyImmediately=True)
    assert changed["DBInstance"]["EngineVersion"] == "15.18"
