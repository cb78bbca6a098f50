"""Type of names that users choose in the settings and that prefix resource names."""

import re
from typing import Annotated

from pydantic import AfterValidator

PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def named(text: str) -> str:
    if not PATTERN.fullmatch(text) or len(text) > 20:
        raise ValueError("write up to 20 lower-case letters and digits, in words joined by -")
    return text


Name = Annotated[str, AfterValidator(named)]
