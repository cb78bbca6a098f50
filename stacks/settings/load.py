"""Loader of the settings: from Pulumi's configuration in the program, from any mapping in tools and tests."""

from collections.abc import Mapping
from typing import cast

import pulumi
from pydantic import ValidationError

from stacks.settings.platform import PlatformSettings
from validation.errors import SettingsError, explain

KEY = "platform"


def parse_settings(mapping: Mapping[str, object], source: str) -> PlatformSettings:
    """Parse settings from plain data.

    Args:
        mapping: the settings, as read from YAML.
        source: location of the settings, for error messages.

    Raises:
        SettingsError: a setting is missing or invalid.
    """
    try:
        return PlatformSettings.model_validate(mapping)
    except ValidationError as error:
        raise explain(error, PlatformSettings, source) from None


def load_settings(config: pulumi.Config) -> PlatformSettings:
    """Load the settings of the selected stack.

    They are one configuration object that is validated as a whole, because `pulumi.Config` cannot list its keys.

    Raises:
        SettingsError: the settings are missing or invalid, or name another environment than the stack.
    """
    stack = pulumi.get_stack()
    source = f"stacks/Pulumi.{stack}.yaml, {config.full_key(KEY)}"
    mapping = config.get_object(KEY)
    if mapping is None:
        raise SettingsError(f"{source}: got nothing; add the settings of the environment, as in stacks/Pulumi.dev.yaml")
    if not isinstance(mapping, Mapping):
        raise SettingsError(f"{source}: got {mapping!r}; write a mapping of settings")
    settings = parse_settings(cast("Mapping[str, object]", mapping), source)
    if settings.environment != stack:
        raise SettingsError(
            f"{source}\n  environment: got {settings.environment!r}; write {stack!r}, the name of the stack, "
            f"or select the stack {settings.environment!r}"
        )
    return settings
