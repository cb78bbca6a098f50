"""Secrets Manager: version labels move as on AWS, and every reader sees a rotation."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from mlflow_server.secrets_manager import SecretsManager

from sandbox.tests.unit.emulator.emulated import Emulated

OLD, NEW = "old-" + "0" * 28, "new-" + "0" * 28


@pytest.fixture
def secrets(emulated: Emulated) -> Any:
    """Return a client; its secret has a pending next value."""
    client = emulated.client("secretsmanager")
    client.create_secret(Name="login", SecretString='{"password": "first"}', ClientRequestToken=OLD)
    client.put_secret_value(
        SecretId="login", SecretString='{"password": "second"}', VersionStages=["AWSPENDING"], ClientRequestToken=NEW
    )
    return client


def labels(client: Any) -> dict[str, list[str]]:
    found = client.describe_secret(SecretId="login")["VersionIdsToStages"]
    return {name: sorted(stages) for name, stages in found.items() if stages}


def move(client: Any, label: str, **given: str) -> None:
    client.update_secret_version_stage(SecretId="login", VersionStage=label, **given)


def test_a_value_that_waits_is_not_what_is_read(secrets: Any):
    assert secrets.get_secret_value(SecretId="login")["SecretString"] == '{"password": "first"}'
    waiting = secrets.get_secret_value(SecretId="login", VersionStage="AWSPENDING")
    assert waiting["SecretString"] == '{"password": "second"}'


def test_the_current_value_is_what_is_read_and_the_one_before_is_kept(secrets: Any, emulated: Emulated):
    move(secrets, "AWSCURRENT", RemoveFromVersionId=OLD, MoveToVersionId=NEW)
    for _ in range(2):
        read = emulated.client("secretsmanager").get_secret_value(SecretId="login")
        assert (read["SecretString"], read["VersionId"]) == ('{"password": "second"}', NEW)
        assert labels(secrets) == {OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT", "AWSPENDING"]}
        emulated.restart()


@pytest.mark.parametrize(
    ("label", "given", "said"),
    [
        ("AWSCURRENT", {"MoveToVersionId": NEW}, "RemoveFromVersionId can't be empty"),
        ("AWSPENDING", {"MoveToVersionId": OLD}, "RemoveFromVersionId can't be empty"),
        ("AWSPENDING", {"MoveToVersionId": OLD, "RemoveFromVersionId": OLD}, "must be set to the version that"),
        ("AWSCURRENT", {"RemoveFromVersionId": OLD}, "can't be completely removed"),
    ],
)
def test_a_label_that_another_version_has_is_moved_from_there_alone(
    secrets: Any, label: str, given: dict[str, str], said: str
):
    before = labels(secrets)
    with pytest.raises(ClientError, match=said) as refused:
        move(secrets, label, **given)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    assert labels(secrets) == before


@pytest.fixture
def vault(emulated: Emulated, monkeypatch: pytest.MonkeyPatch) -> SecretsManager:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = SecretsManager()
    made._client = emulated.client("secretsmanager")
    return made


def test_a_rotation_leaves_no_label_that_waits(secrets: Any, vault: SecretsManager):
    assert vault.pending("login") == {"password": "second"}
    vault.promote("login")
    assert vault.pending("login") is None
    assert vault.must_read("login") == {"password": "second"}
    assert labels(secrets) == {OLD: ["AWSPREVIOUS"], NEW: ["AWSCURRENT"]}


def test_a_promotion_that_was_ended_half_way_is_over_and_the_next_value_takes_the_label(
    secrets: Any, vault: SecretsManager
):
    move(secrets, "AWSCURRENT", RemoveFromVersionId=OLD, MoveToVersionId=NEW)
    assert vault.pending("login") is None
    vault.propose("login", {"password": "third"})
    assert vault.pending("login") == {"password": "third"}
    vault.promote("login")
    assert vault.must_read("login") == {"password": "third"}


def test_nothing_that_waits_is_nothing_to_promote(emulated: Emulated, vault: SecretsManager):
    emulated.client("secretsmanager").create_secret(Name="other", SecretString="{}")
    with pytest.raises(LookupError, match="secret other has no value that waits"):
        vault.promote("other")
