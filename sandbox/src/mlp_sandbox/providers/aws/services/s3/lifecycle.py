"""Lifecycle rules of S3 buckets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import Problems, from_pairs, from_shape, given, to_pairs, to_shape
from mlp_sandbox.providers.aws.services.s3.settings import OWNED, BucketSetting, Target

SMALLEST = "all_storage_classes_128K"
SIZES = (SMALLEST, "varies_by_storage_class")
RULE_NAMES = {"id": "ID"}


class BucketLifecycleConfiguration(BucketSetting):
    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    absent = ("NoSuchLifecycleConfiguration",)
    fields: ClassVar[Mapping[str, Field]] = {
        **OWNED,
        "rules": Field(),
        "timeouts": Field(write_only=True),
        "transitionDefaultMinimumObjectSize": Field(default=SMALLEST),
    }

    def check(self, inputs: Props) -> Problems:
        problems: Problems = []
        size = inputs.get("transitionDefaultMinimumObjectSize")
        if isinstance(size, str) and size not in SIZES:
            problems.append(("transitionDefaultMinimumObjectSize", f"is {size!r}: give {' or '.join(SIZES)}"))
        rules = inputs.get("rules")
        for index, rule in enumerate(rules if isinstance(rules, list) else []):
            if isinstance(rule, dict):
                problems += ((f"rules[{index}].{field}", reason) for field, reason in _rule_problems(rule))
        return problems

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        rules = [_to_rule(rule) for rule in inputs.get("rules", [])]
        size = inputs.get("transitionDefaultMinimumObjectSize")
        s3.put_bucket_lifecycle_configuration(
            **target,
            LifecycleConfiguration={"Rules": rules},
            **given(TransitionDefaultMinimumObjectSize=size),
        )

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        found = s3.get_bucket_lifecycle_configuration(**target)
        return {
            "rules": [_from_rule(rule) for rule in found["Rules"]],
            "transitionDefaultMinimumObjectSize": found.get("TransitionDefaultMinimumObjectSize", SMALLEST),
        }

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        s3.delete_bucket_lifecycle(**target)


def _rule_problems(rule: Props) -> Problems:
    problems: Problems = []
    status = rule.get("status")
    if "id" not in rule:
        problems.append(("id", "is missing: name the rule"))
    if isinstance(status, str) and status not in ("Enabled", "Disabled"):
        problems.append(("status", f"is {status!r}: give Enabled or Disabled"))
    predicates = rule.get("filter")
    if isinstance(predicates, dict) and len(predicates) > 1:
        listed = ", ".join(sorted(predicates))
        problems.append(("filter", f"has {len(predicates)} conditions ({listed}): put them together in its 'and'"))
    return problems


def _to_rule(rule: Props) -> dict[str, Any]:
    shape = to_shape(rule, RULE_NAMES)
    # S3 requires a filter, or the older prefix: no filter means all objects.
    if "Filter" not in shape and "Prefix" not in shape:
        shape["Filter"] = {"Prefix": ""}
    if tags := rule.get("filter", {}).get("and", {}).get("tags"):
        shape["Filter"]["And"]["Tags"] = to_pairs(tags)
    return shape


def _from_rule(shape: dict[str, Any]) -> Props:
    rule = _without_times(from_shape(shape, RULE_NAMES))
    if tags := shape.get("Filter", {}).get("And", {}).get("Tags"):
        rule["filter"]["and"]["tags"] = from_pairs(tags)
    return rule


def _without_times(value: Any) -> Any:
    """Return dates as the program writes them: S3 counts in days, at midnight UTC."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items()}
    return value


HANDLERS: list[Handler] = [BucketLifecycleConfiguration()]
