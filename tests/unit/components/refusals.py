"""Messages of a section of the stack file that has a wrong value."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from validation.base import Section
from validation.errors import explain


def refusals(section: type[Section], values: Mapping[str, object]) -> list[str]:
    """Return the lines of the error for the values, one per wrong setting."""
    with pytest.raises(ValidationError) as refused:
        section.model_validate(values)
    return [line.strip() for line in str(explain(refused.value, section, "the stack file")).splitlines()[1:]]
