"""The budget: costs of one environment, with forecast and actual warnings."""

from typing import Any

import pytest

from components.budget.budget import Budget, BudgetArgs
from components.budget.spec import BudgetSpec
from mlp.recording import Deploy

from .policies import PREFIX, given
from .refusals import refusals

TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


def args(**changes: Any) -> BudgetArgs:
    spec = BudgetSpec(monthly_limit_usd=500)
    return BudgetArgs(**given({"spec": spec, "prefix": PREFIX, "environment": "dev", "topic_arn": TOPIC}, changes))


def test_only_the_costs_of_the_environment_count(deploy: Deploy):
    _, cloud = deploy(lambda: Budget("budget", args()))
    [budget] = cloud.of_type("aws:budgets/budget:Budget")
    assert budget.inputs["costFilters"] == [{"name": "TagKeyValue", "values": ["user:environment$dev"]}]
    assert (budget.inputs["limitAmount"], budget.inputs["limitUnit"]) == ("500.0", "USD")
    assert (budget.inputs["budgetType"], budget.inputs["timeUnit"]) == ("COST", "MONTHLY")
    assert budget.inputs["name"] == f"{PREFIX}-monthly-cost"


def test_every_threshold_warns_the_topic(deploy: Deploy):
    spec = BudgetSpec(monthly_limit_usd=500, thresholds_percent=(80, 100), forecast_percent=(110,))
    _, cloud = deploy(lambda: Budget("budget", args(spec=spec)))
    [budget] = cloud.of_type("aws:budgets/budget:Budget")
    warnings = budget.inputs["notifications"]
    assert [(warning["notificationType"], warning["threshold"]) for warning in warnings] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 110),
    ]
    assert all(warning["subscriberSnsTopicArns"] == [TOPIC] for warning in warnings)
    assert all(warning["thresholdType"] == "PERCENTAGE" for warning in warnings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": ""}, "environment must be the value of the `environment` tag, got ''"),
        ({"environment": "de$v"}, r"got 'de\$v'"),
        ({"prefix": "ML"}, "prefix must be 2 to 30 characters"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        args(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"monthly_limit_usd": 0}, "monthly_limit_usd: got 0; write 1 or more"),
        ({"monthly_limit_usd": 10_000_001}, "monthly_limit_usd: got 10000001; write 10000000 or less"),
        ({"thresholds_percent": [80, 80]}, "thresholds_percent: got [80, 80]; write each percentage once"),
        ({"forecast_percent": [0]}, "forecast_percent[0]: got 0; write 1 or more"),
        ({"forecast_percent": [1001]}, "forecast_percent[0]: got 1001; write 1000 or less"),
        ({"thresholds_percent": [], "forecast_percent": []}, "thresholds_percent: got []; list at least 1"),
        ({"thresholds_percent": [*range(1, 12)]}, "list at most 5"),
        ({"forecast_percent": [*range(1, 7)]}, "list at most 5"),
    ],
)
def test_a_wrong_setting_is_refused_with_field_value_and_fix(changes: dict[str, Any], message: str):
    [line] = refusals(BudgetSpec, {"monthly_limit_usd": 500, **changes})
    assert message in line


def test_the_largest_budget_has_as_many_notifications_as_aws_takes(deploy: Deploy):
    """A budget takes ten notifications."""
    percents = tuple(range(1, 6))
    spec = BudgetSpec(monthly_limit_usd=500, thresholds_percent=percents, forecast_percent=percents)
    _, cloud = deploy(lambda: Budget("budget", args(spec=spec)))
    assert len(cloud.of_type("aws:budgets/budget:Budget")[0].inputs["notifications"]) == 10
