"""Conditions of IAM policies, evaluated as AWS documents them. Pure: no state, no clock, no moto."""

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

Context: TypeAlias = Mapping[str, Sequence[str]]
Test: TypeAlias = Callable[[str, str], bool]


class UnknownOperatorError(ValueError):
    """A condition operator that AWS does not have."""


def wildcard(pattern: str, value: str) -> bool:
    """Match `*` and `?` of policies; brackets, which fnmatch would expand, are literal there."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def arn_matches(pattern: str, value: str) -> bool:
    """Match two ARNs part by part, as ArnLike and ArnEquals both do."""
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


def as_list(value: object) -> list[str]:
    """A policy's scalar or list as a list of strings; JSON booleans and numbers become their policy spelling."""
    values = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in values]


def conditions_hold(conditions: Mapping[str, Mapping[str, object]], context: Context) -> bool:
    """Whether every operator and key of a statement's Condition holds. Keys are matched in any case."""
    known = {key.lower(): list(values) for key, values in context.items()}
    return all(
        _holds(operator, as_list(expected), known.get(key.lower()))
        for operator, keys in conditions.items()
        for key, expected in keys.items()
    )


def _holds(operator: str, expected: list[str], actual: list[str] | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (actual is None) == (expected[0].lower() == "true")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    test = _POSITIVE.get(_NEGATED.get(name, name))
    if test is None or quantifier not in {"", "ForAnyValue", "ForAllValues"}:
        raise UnknownOperatorError(
            f"condition operator {operator!r} does not exist; did you mean one of StringEquals, "
            "StringLike, ArnLike, Bool, NumericEquals, DateLessThan, IpAddress, Null?"
        )
    if actual is None:
        # AWS: a missing key fails a positive test and passes a negated one; an empty set passes ForAllValues.
        return optional or quantifier == "ForAllValues" or (negated and quantifier == "")

    def passes(value: str) -> bool:
        return any(test(item, value) for item in expected) != negated

    if quantifier == "ForAnyValue":
        return any(passes(value) for value in actual)
    return all(passes(value) for value in actual)
