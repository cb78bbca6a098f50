"""Log groups through their life."""

from __future__ import annotations

import pytest
from moto import mock_aws

from mlp_sandbox.providers.aws.services.logs import HANDLERS, LogGroup
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

INPUTS = {"name": "/mlops/vpc", "retentionInDays": 30, "tags": {"team": "ml"}}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: LogGroup) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs(HANDLERS) == {
        "LogGroup": {"name", "namePrefix", "region", "logGroupClass"},
    }


@mock_aws
def test_a_log_group_changes_retention_and_tags_in_place() -> None:
    changed = {**INPUTS, "retentionInDays": 90, "tags": {"owner": "platform"}}
    forever = {"name": "/mlops/vpc"}
    assert Life(LogGroup()).lives(INPUTS, changed, forever) == "/mlops/vpc"


@mock_aws
def test_the_arn_has_no_wildcard_at_its_end() -> None:
    life = Life(LogGroup())
    live = life.live(life.create(**INPUTS))
    assert live["arn"] == "arn:aws:logs:us-east-1:123456789012:log-group:/mlops/vpc"


@mock_aws
def test_a_group_whose_name_begins_alike_is_not_taken_for_it() -> None:
    life = Life(LogGroup())
    life.create(name="/mlops/vpc-flow")
    assert life.read("/mlops/vpc") is None


@mock_aws
def test_skip_destroy_leaves_the_group() -> None:
    life = Life(LogGroup())
    id = life.create(**INPUTS, skipDestroy=True)
    life.delete(id, **INPUTS, skipDestroy=True)
    assert life.read(id) is not None


@mock_aws
def test_the_group_is_recorded_before_its_retention_is_set() -> None:
    life = Life(LogGroup())
    id = life.create(**INPUTS)
    assert life.created == [id]


def test_a_name_made_from_the_prefix_does_not_conflict_with_it() -> None:
    made = {"name": "/mlops/0123", "namePrefix": "/mlops/", "__defaults": ["name"]}
    assert LogGroup().check(made) == []


def test_a_group_without_a_name_is_refused() -> None:
    assert LogGroup().check({})[0][0] == "name"


def test_bad_inputs_are_refused_with_the_allowed_values() -> None:
    problems = dict(LogGroup().check({"name": "a", "namePrefix": "b", "retentionInDays": 31, "logGroupClass": "CHEAP"}))
    assert "give one of the two" in problems["namePrefix"]
    assert "is 31: give one of 0, 1, 3" in problems["retentionInDays"]
    assert "STANDARD" in problems["logGroupClass"]
