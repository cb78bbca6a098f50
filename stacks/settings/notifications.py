"""Who is told about budgets and alarms."""

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
    """Addresses that are subscribed; each must confirm the subscription that AWS mails to it."""
