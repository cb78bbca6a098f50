"""A valid set of settings, and helpers to invalidate it."""

from typing import Any

import pytest

from stacks.settings import SettingsError, parse_settings
from tests.unit.spoiling import spoil

Settings = dict[str, Any]
SOURCE = "stacks/Pulumi.prod.yaml"

SOUND: Settings = {
    "environment": "prod",
    "region": "eu-west-1",
    "protect": True,
    "tags": {"team": "ml-platform", "cost_center": "cc-1", "owner": "ml@acme.example"},
    "network": {
        "cidr": "10.0.0.0/16",
        "pod_cidr": "100.64.0.0/16",
        "service_cidr": "172.20.0.0/16",
        "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        "nat": "per_zone",
        "interface_endpoints": ["ecr.api", "ecr.dkr"],
    },
    "cluster": {
        "version": "1.36",
        "public_access": True,
        "api_cidrs": ["203.0.113.0/24"],
        "general_pool": {"instance_types": ["m7i.large"], "min_size": 2, "max_size": 6},
        "gpu_pools": {"l4": {"instance_types": ["g6.xlarge"], "accelerator": "nvidia-l4", "max_size": 2}},
    },
    "registry": {"repositories": ["mlflow", "runtime", "training/base"]},
    "secrets": {"names": ["grafana/admin"]},
    "database": {"engine_version": "15.18", "instance_class": "db.m7g.large", "multi_az": True},
    "identities": {
        "github_repository": "acme/ml-platform",
        "github_environments": ["prod"],
        "oidc_provider": "existing",
        "state_bucket": "acme-ml-platform-state",
        "state_key_alias": "alias/ml-platform-state",
    },
    "notifications": {"emails": ["ml@acme.example"]},
    "budget": {"monthly_limit_usd": 1000},
}


def spoiled(*changes: tuple[str, object]) -> Settings:
    return spoil(SOUND, *changes)


def refusal(*changes: tuple[str, object]) -> list[str]:
    """Return the lines of the error for invalidated settings."""
    with pytest.raises(SettingsError) as refused:
        parse_settings(spoiled(*changes), SOURCE)
    return str(refused.value).splitlines()
