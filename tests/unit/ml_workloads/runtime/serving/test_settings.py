"""The server's settings from its environment."""

import pytest

from ml_workloads.runtime.serving.__main__ import settings_from_environment


def test_a_model_and_its_alias_are_enough(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SERVING_MODEL", "churn")
    monkeypatch.setenv("SERVING_ALIAS", "production")
    settings = settings_from_environment()
    assert (settings.model, settings.alias, settings.host, settings.port) == ("churn", "production", "127.0.0.1", 8080)


def test_what_is_missing_or_wrong_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SERVING_ALIAS", "production")
    monkeypatch.setenv("SERVING_PORT", "http")
    with pytest.raises(SystemExit) as ended:
        settings_from_environment()
    assert "SERVING_MODEL: Field required" in str(ended.value)
    assert "SERVING_PORT: Input should be a valid integer" in str(ended.value)


def test_the_projects_own_types_are_a_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SERVING_MODEL", "churn")
    monkeypatch.setenv("SERVING_ALIAS", "production")
    assert settings_from_environment().trusted_types == ()
    monkeypatch.setenv("SERVING_TRUSTED_TYPES", '["churn.features.Ratio"]')
    assert settings_from_environment().trusted_types == ("churn.features.Ratio",)
