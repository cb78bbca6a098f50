"""The program reads its settings from the selected stack, and reports where missing ones belong."""

import json
from typing import Any

import pulumi
import pytest

from mlp.recording import PROJECT, Deploy
from stacks.settings import PlatformSettings, SettingsError, load_settings
from tests.unit.stacks.examples import SOUND, spoiled


def load(deploy: Deploy, stack: str, platform: Any) -> PlatformSettings:
    pulumi.runtime.set_all_config({} if platform is None else {f"{PROJECT}:platform": json.dumps(platform)})
    settings, _ = deploy(lambda: load_settings(pulumi.Config()), stack=stack)
    return settings


def test_the_settings_of_the_selected_stack_are_loaded(deploy: Deploy):
    assert load(deploy, "prod", SOUND).network.cidr == SOUND["network"]["cidr"]


def test_a_stack_without_settings_is_told_what_to_add(deploy: Deploy):
    with pytest.raises(SettingsError, match=r"Pulumi\.new\.yaml, ml-platform:platform: got nothing; add the settings"):
        load(deploy, "new", None)


def test_settings_that_are_no_mapping_are_refused(deploy: Deploy):
    with pytest.raises(SettingsError, match=r"got \[1, 2\]; write a mapping of settings"):
        load(deploy, "prod", [1, 2])


def test_settings_copied_from_another_environment_are_refused(deploy: Deploy):
    with pytest.raises(SettingsError, match=r"environment: got 'prod'; write 'staging', the name of the stack"):
        load(deploy, "staging", SOUND)


def test_a_misspelt_setting_ends_the_program_with_its_file_and_a_suggestion(deploy: Deploy):
    with pytest.raises(
        SettingsError, match=r"stacks/Pulumi\.prod\.yaml[^\n]*\n  budget\.monthly_limit: .*'monthly_limit_usd'"
    ):
        load(deploy, "prod", spoiled(("budget.monthly_limit", 5)))
