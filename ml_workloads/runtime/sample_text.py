"""Generates text that matches a regular expression."""

from __future__ import annotations

import random
import re
import string
from re import _parser as parser  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from typing import Any, Final, cast

_MOST_REPEATS: Final = 4
_ANY: Final = string.ascii_lowercase + string.digits
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_lowercase + string.digits + "_",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_lowercase,
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": _ANY,
}
_PRINTABLE: Final = _ANY + string.ascii_uppercase + "_-. "


class TextError(ValueError):
    """No text can be generated for a pattern. The message names the pattern."""


def matching(pattern: str, source: random.Random) -> str:
    """Return a text that a pattern matches from its start.

    Raises:
        TextError: the pattern is invalid, or uses more than literals, classes, groups, alternatives and repetition.
    """
    try:
        text = _sequence(cast("Any", parser).parse(pattern), source)
    except re.error as error:
        raise TextError(f"{pattern!r} is no regular expression: {error}") from None
    except (KeyError, NotImplementedError):
        text = None
    if text is None or not re.match(pattern, text):
        raise TextError(f"no text is known to match {pattern!r}")
    return text


def _sequence(tokens: Any, source: random.Random) -> str:
    return "".join(_one(str(code), argument, source) for code, argument in tokens)


def _one(code: str, argument: Any, source: random.Random) -> str:
    match code:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return source.choice([each for each in _PRINTABLE if ord(each) != argument])
        case "ANY":
            return source.choice(_ANY)
        case "IN":
            return source.choice(_members(argument))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, repeated = argument
            count = source.randint(least, max(least, min(int(most), least + _MOST_REPEATS)))
            return "".join(_sequence(repeated, source) for _ in range(count))
        case "SUBPATTERN":
            return _sequence(argument[3], source)
        case "BRANCH":
            return _sequence(source.choice(argument[1]), source)
        case "AT":
            return ""
        case _:
            raise NotImplementedError(code)


def _members(tokens: Any) -> str:
    """Return the characters of a class such as [a-z_]."""
    found, negated = "", False
    for code, argument in tokens:
        match str(code):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found += chr(argument)
            case "RANGE":
                found += "".join(map(chr, range(argument[0], min(argument[1], argument[0] + 200) + 1)))
            case "CATEGORY":
                found += _CATEGORIES[str(argument)]
            case other:
                raise NotImplementedError(other)
    chosen = "".join(each for each in _PRINTABLE if each not in found) if negated else found
    if not chosen:
        raise NotImplementedError("empty class")
    return chosen
