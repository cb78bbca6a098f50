"""Specs of the cluster and its pools as a user would write them, and the messages about wrong ones."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from components.eks.pool_spec import NodePoolSpec
from components.eks.spec import ClusterSpec
from tests.unit.components.policies import given
from validation.base import Section
from validation.errors import explain

POOL: dict[str, Any] = {
    "instance_types": ["g6.xlarge", "g6.2xlarge"],
    "accelerator": "nvidia-l4",
    "max_size": 4,
    "zones": ["us-east-1b", "us-east-1a"],
}
CLUSTER: dict[str, Any] = {
    "version": "1.36",
    "general_pool": {"instance_types": ["m7i.large"], "min_size": 1, "max_size": 4},
}


def pool_spec(**changes: Any) -> NodePoolSpec:
    return NodePoolSpec.model_validate(given(POOL, changes))


def cluster_spec(**changes: Any) -> ClusterSpec:
    return ClusterSpec.model_validate(given(CLUSTER, changes))


def refusal(schema: type[Section], mapping: Mapping[str, Any]) -> str:
    """Return the error for an invalid spec, as users read it."""
    with pytest.raises(ValidationError) as refused:
        schema.model_validate(mapping)
    return str(explain(refused.value, schema, "test"))
