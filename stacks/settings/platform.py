"""Root of the settings: one object per environment, validated as a whole."""

from typing import Self

from pydantic import model_validator

from stacks.settings.rules import problems
from stacks.settings.sections import PlatformSections
from validation.base import refuse


class PlatformSettings(PlatformSections):
    @model_validator(mode="after")
    def rules_across_sections_hold(self) -> Self:
        refuse(problems(self))
        return self
