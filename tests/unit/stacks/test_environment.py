"""An environment with conflicting names is rejected before any resource is created."""

from typing import Any
from unittest.mock import patch

import pulumi
import pytest

from mlp import recording
from mlp.recording import PROJECT, RecordingCloud, configuration, run_main


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("teams", {"data": {"namespaces": ["data-*"]}}, "teams data (cluster.teams of the settings) and data-science"),
        ("teams", {"vision": {"namespaces": ["*-diagnosis"]}}, "covers namespaces of team data-science"),
        ("teams", {"ml": {"namespaces": ["ml-tools"]}}, "cluster.teams.ml: choose another name"),
    ],
)
def test_teams_of_the_settings_are_held_against_the_projects(section: str, value: Any, said: str):
    config = configuration("dev")
    config[f"{PROJECT}:platform"]["cluster"][section] = value
    cloud = RecordingCloud()
    with patch.object(recording, "RecordingCloud", lambda: cloud), pytest.raises(pulumi.RunError) as refused:
        run_main("dev", config)
    assert said in str(refused.value)
    assert [each.name for each in cloud.resources if each.typ != "pulumi:pulumi:Stack"] in ([], ["aws"])
