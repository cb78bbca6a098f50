"""Settings of notifications: recipients of budget reports and alarms."""

import re
from typing import Annotated

from pydantic import AfterValidator, Strict

from validation.base import Allowed, Section, unique


def email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise ValueError("write an e-mail address")
    return text


Emails = Annotated[
    tuple[Annotated[str, AfterValidator(email), Allowed("e-mail address")], ...], Strict(False), AfterValidator(unique)
]


class NotificationSettings(Section):
    emails: Emails = ()
    """E-mail addresses to subscribe. Each recipient must confirm the subscription that AWS sends."""
