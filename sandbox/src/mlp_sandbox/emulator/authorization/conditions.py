"""Conditions and variables of IAM policies, evaluated as AWS documents them. Pure: no state, no clock, no moto.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

Context: TypeAlias = Mapping[str, Sequence[str]]
Lookup: TypeAlias = Callable[[str], Sequence[str] | None]
"""Return the values of a context key, given its name in lower case; None when the request has no such key."""
Test: TypeAlias = Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEFAULT = re.compile(r"([^,]+?)\s*,\s*'([^']*)'\s*$")
# A star or question mark that came from a variable is literal. Private-use characters mark these.
_LITERAL = {"*": "\ue000", "?": "\ue001"}
_PROTECT = str.maketrans(_LITERAL)


class UnknownOperatorError(ValueError):
    """The condition operator does not exist on AWS."""


def wildcard(pattern: str, value: str) -> bool:
    """Match the `*` and `?` of policies. Brackets, which fnmatch would expand, are literal in policies."""
    return pattern == "*" or fnmatch.fnmatchcase(value, _fnmatch_pattern(pattern))


@lru_cache(maxsize=16384)
def _fnmatch_pattern(pattern: str) -> str:
    escaped = pattern.replace("[", "[[]")
    return escaped.replace(_LITERAL["*"], "[*]").replace(_LITERAL["?"], "[?]")


def substitute(text: str, lookup: Lookup, *, pattern: bool) -> str | None:
    """Replace each `${...}` with its value; return None when a variable has no single value and no default."""
    if "${" not in text:
        return text
    missing = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal missing
        name = match[1].strip()
        if name in {"*", "?", "$"}:
            return name.translate(_PROTECT) if pattern else name
        default = _DEFAULT.match(name)
        values = lookup((default[1] if default else name).strip().lower())
        if values is None or len(values) != 1:
            missing = missing or default is None
            value = default[2] if default else ""
        else:
            value = values[0]
        return value.translate(_PROTECT) if pattern else value

    result = _VARIABLE.sub(value_of, text)
    return None if missing else result


def arn_matches(pattern: str, value: str) -> bool:
    """Match two ARNs part by part, as both ArnLike and ArnEquals do."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) == 6 and all(wildcard(p, v) for p, v in zip(patterns, values, strict=True))


def _number(test: Callable[[float, float], bool]) -> Test:
    def compare(expected: str, actual: str) -> bool:
        try:
            return test(float(actual), float(expected))
        except ValueError:
            return False

    return compare


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _date(test: Callable[[datetime, datetime], bool]) -> Test:
    def compare(expected: str, actual: str) -> bool:
        try:
            return test(_moment(actual), _moment(expected))
        except ValueError:
            return False

    return compare


def _in_network(expected: str, actual: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)
    except ValueError:
        return False


_POSITIVE: dict[str, Test] = {
    "StringEquals": lambda expected, actual: expected == actual,
    "StringEqualsIgnoreCase": lambda expected, actual: expected.lower() == actual.lower(),
    "StringLike": wildcard,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "Bool": lambda expected, actual: expected.lower() == actual.lower(),
    "BinaryEquals": lambda expected, actual: expected == actual,
    "NumericEquals": _number(lambda actual, expected: actual == expected),
    "NumericLessThan": _number(lambda actual, expected: actual < expected),
    "NumericLessThanEquals": _number(lambda actual, expected: actual <= expected),
    "NumericGreaterThan": _number(lambda actual, expected: actual > expected),
    "NumericGreaterThanEquals": _number(lambda actual, expected: actual >= expected),
    "DateEquals": _date(lambda actual, expected: actual == expected),
    "DateLessThan": _date(lambda actual, expected: actual < expected),
    "DateLessThanEquals": _date(lambda actual, expected: actual <= expected),
    "DateGreaterThan": _date(lambda actual, expected: actual > expected),
    "DateGreaterThanEquals": _date(lambda actual, expected: actual >= expected),
    "IpAddress": _in_network,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


_PATTERNS = frozenset({"StringLike", "ArnEquals", "ArnLike"})


def as_list(value: object) -> list[str]:
    """Return a policy's scalar or list as a list of strings.

    JSON booleans and numbers get their spelling in policies.
    """
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


def lookup_in(context: Context) -> Lookup:
    """Return a lookup over a plain mapping that finds keys in any case."""
    return {key.lower(): values for key, values in context.items()}.get


def conditions_hold(
    conditions: Mapping[str, Mapping[str, object]], context: Context | Lookup, *, variables: bool = True
) -> bool:
    """Return whether every operator and key of a statement's Condition holds. Keys match in any case.

    Args:
        conditions: Operators, each with the expected values of its context keys.
        context: The context keys of the request, or a lookup of them.
        variables: Whether `${...}` in expected values is replaced.

    Raises:
        UnknownOperatorError: AWS has no such operator.
    """
    lookup = lookup_in(context) if isinstance(context, Mapping) else context
    return all(
        _holds(operator, as_list(expected), lookup(key.lower()), lookup if variables else None)
        for operator, keys in conditions.items()
        for key, expected in keys.items()
    )


def _holds(operator: str, expected: list[str], actual: Sequence[str] | None, lookup: Lookup | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (actual is None) == (expected[0].lower() == "true")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    positive = _NEGATED.get(name, name)
    test = _POSITIVE.get(positive)
    if test is None or quantifier not in {"", "ForAnyValue", "ForAllValues"}:
        raise UnknownOperatorError(
            f"condition operator {operator!r} does not exist; did you mean one of StringEquals, "
            "StringLike, ArnLike, Bool, NumericEquals, DateLessThan, IpAddress, Null?"
        )
    if actual is None or (not actual and quantifier == ""):
        # AWS: a missing key fails a positive test and passes a negated one; an empty set passes ForAllValues.
        return optional or quantifier == "ForAllValues" or (negated and quantifier == "")
    if lookup is not None:
        known = (substitute(item, lookup, pattern=positive in _PATTERNS) for item in expected)
        expected = [item for item in known if item is not None]

    def passes(value: str) -> bool:
        return any(test(item, value) for item in expected) != negated

    if quantifier == "ForAnyValue":
        return any(passes(value) for value in actual)
    return all(passes(value) for value in actual)
