"""Settings of one environment: schema, rules and loading. All other modules receive validated, frozen objects."""

from stacks.settings.load import load_settings, parse_settings
from stacks.settings.platform import PlatformSettings
from validation.errors import SettingsError

__all__ = ["PlatformSettings", "SettingsError", "load_settings", "parse_settings"]
