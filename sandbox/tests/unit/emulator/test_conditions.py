"""Policy conditions: each operator matches and fails as AWS documents it."""

from typing import Any

import pytest

from mlp_sandbox.emulator.authorization.conditions import UnknownOperatorError, arn_matches, conditions_hold, wildcard

ROLE = "arn:aws:iam::123456789012:role/team/app"


@pytest.mark.parametrize(
    ("operator", "expected", "actual", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEquals", ["x", "a"], "a", False),
        ("StringNotEquals", ["x", "y"], "a", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "team/*", "team/a/b", True),
        ("StringLike", "team-?", "team-12", False),
        ("StringNotLike", "team/*", "other", True),
        ("ArnLike", "arn:aws:iam::*:role/team/*", ROLE, True),
        ("ArnEquals", "arn:aws:iam::123456789012:role/*", ROLE, True),
        ("ArnLike", "arn:aws:iam::*", ROLE, False),
        ("ArnNotEquals", "arn:aws:iam::123456789012:role/other", ROLE, True),
        ("Bool", "false", "false", True),
        ("Bool", False, "false", True),
        ("Bool", "true", "false", False),
        ("NumericLessThan", 10, "9.5", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericEquals", "10", "ten", False),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
        ("DateGreaterThan", "2026-01-01", "2026-01-02T00:00:00Z", True),
        ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),
        ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", True),
        ("DateLessThanEquals", "not a date", "2026-01-02T00:00:00Z", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", ["192.168.0.0/16", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "10.0.0.0/8", "not an address", False),
        ("NotIpAddress", "10.0.0.0/8", "11.0.0.1", True),
    ],
)
def test_an_operator_compares_as_documented(operator: str, expected: Any, actual: str, *, holds: bool):
    assert conditions_hold({operator: {"some:Key": expected}}, {"some:key": [actual]}) is holds


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("Bool", False),
        ("BoolIfExists", True),
        ("NotIpAddress", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
    ],
)
def test_a_missing_key_counts_as_documented(operator: str, *, holds: bool):
    assert conditions_hold({operator: {"aws:Missing": "x"}}, {}) is holds


@pytest.mark.parametrize(
    ("expected", "present", "holds"),
    [("true", False, True), ("true", True, False), ("false", True, True), ("false", False, False)],
)
def test_null_asks_for_absence(expected: str, *, present: bool, holds: bool):
    context = {"aws:TokenIssueTime": ["now"]} if present else {}
    assert conditions_hold({"Null": {"aws:TokenIssueTime": expected}}, context) is holds


@pytest.mark.parametrize(
    ("operator", "actual", "holds"),
    [
        ("ForAnyValue:StringEquals", ["a", "z"], True),
        ("ForAnyValue:StringEquals", ["y", "z"], False),
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "z"], False),
        ("ForAnyValue:StringNotEquals", ["a", "z"], True),
        ("ForAllValues:StringNotEquals", ["a", "z"], False),
        ("ForAllValues:StringLike", ["a", "b"], True),
    ],
)
def test_quantifiers_look_at_every_value(operator: str, actual: list[str], *, holds: bool):
    assert conditions_hold({operator: {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": actual}) is holds


def test_every_operator_and_key_must_hold():
    conditions = {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}}
    assert conditions_hold(conditions, {"a": ["1"], "b": ["2"], "c": ["true"]})
    assert not conditions_hold(conditions, {"a": ["1"], "b": ["3"], "c": ["true"]})
    assert not conditions_hold(conditions, {"a": ["1"], "b": ["2"], "c": ["false"]})
    assert conditions_hold({}, {})


@pytest.mark.parametrize("operator", ["StringEqual", "ForSomeValues:StringEquals", "Equals"])
def test_an_operator_that_does_not_exist_is_an_error_that_names_it(operator: str):
    with pytest.raises(UnknownOperatorError, match=operator):
        conditions_hold({operator: {"a": "1"}}, {"a": ["1"]})


def test_brackets_in_a_pattern_are_literal():
    assert wildcard("a[1]*", "a[1]b")
    assert not wildcard("a[1]", "a1")
    assert not arn_matches("*", ROLE)
