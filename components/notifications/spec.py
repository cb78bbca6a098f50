"""Settings of notifications: recipients of budget reports and alarms."""

import re
from typing import Annotated

from pydantic import AfterValidator, Strict

from components.naming import slug
from validation.base import Allowed, Section, unique


def email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise ValueError("write an e-mail address")
    return text


def one_subscription_each(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Raise ValueError for different addresses whose subscriptions would have the same resource name."""
    seen: dict[str, str] = {}
    for address in addresses:
        other = seen.setdefault(slug(address), address)
        if other != address:
            raise ValueError(f"remove {other} or {address}, they differ in punctuation or case only")
    return addresses


Emails = Annotated[
    tuple[Annotated[str, AfterValidator(email), Allowed("e-mail address")], ...],
    Strict(False),
    AfterValidator(unique),
    AfterValidator(one_subscription_each),
]


class NotificationSpec(Section):
    emails: Emails = ()
    """E-mail addresses to subscribe. Each recipient must confirm the subscription that AWS sends."""
