"""Settings of secrets: names only. People or services write the values, never this program."""

import re
from typing import Annotated

from pydantic import AfterValidator, Strict

from validation.base import Allowed, Section, unique


def secret_name(text: str) -> str:
    """Raise ValueError for invalid names.

    Secrets Manager takes a name that ends in a dash and six characters for a partial ARN.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*([/-][a-z0-9]+)*", text) or len(text) > 200:
        raise ValueError("write lower-case letters and digits, in words joined by - or /")
    if re.search(r"-[a-z0-9]{6}$", text):
        raise ValueError("do not end in a dash and six characters, Secrets Manager mistakes that for part of an ARN")
    return text


def recovery_window(days: int) -> int:
    """Raise ValueError for invalid recovery windows.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    if days != 0 and not 7 <= days <= 30:
        raise ValueError("write 0 (deleted at once) or 7 to 30")
    return days


SecretNames = Annotated[
    tuple[Annotated[str, AfterValidator(secret_name), Allowed("secret name")], ...],
    Strict(False),
    AfterValidator(unique),
]


class SecretSettings(Section):
    names: SecretNames = ()
    """Secrets of the environment, without its prefix."""
    recovery_window_days: Annotated[int, AfterValidator(recovery_window), Allowed("0 or 7 to 30")] = 30
    """Days in which a deleted secret can be restored; 0 deletes at once, so that its name is available again."""
