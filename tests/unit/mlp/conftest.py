"""Fixtures: an AWS account in memory for the commands that talk to one."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.servicequotas.models import ServiceQuotasBackend

from components.service_quotas import ON_DEMAND, SPOT
from mlp import extensions
from tests.unit.mlp.local_account import LOCAL, Entry, LocalAccount

DEFAULTS = {quota.code: float(quota.default) for quota in (*ON_DEMAND.values(), *SPOT.values())}


@pytest.fixture(autouse=True)
def local_account(monkeypatch: pytest.MonkeyPatch) -> LocalAccount:
    """Install one account extension only, whatever the environment has; it is not selected."""
    account = LocalAccount()
    monkeypatch.delenv(LOCAL, raising=False)
    found = {extensions.ACCOUNTS: {"local": Entry(account)}}
    monkeypatch.setattr(extensions, "installed", lambda group: found.get(group, {}))
    return account


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ServiceQuotasBackend, "get_service_quota", _quota)
    with mock_aws():
        yield


def _quota(_backend: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
    """Return the default EC2 quotas, which moto lacks."""
    return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": DEFAULTS[quota_code]}


@pytest.fixture
def foreign_addresses(monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the shell to a local account, and each service to another address; returns the account's address."""
    for service in ("S3", "ECR", "STS", "IAM", "KMS", "SECRETS_MANAGER"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://foreign.invalid")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", LOCAL):
        monkeypatch.setenv(name, "sandbox")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    return "http://127.0.0.1:1"
