"""The budget: costs of one environment, with forecast and actual warnings."""

from typing import Any

import pytest

from components.budget import Budget, BudgetArgs
from mlp.recording import Deploy

from .policies import PREFIX, given

TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


def args(**changes: Any) -> BudgetArgs:
    return BudgetArgs(
        **given({"prefix": PREFIX, "environment": "dev", "monthly_limit_usd": 500, "topic_arn": TOPIC}, changes)
    )


def test_only_the_costs_of_the_environment_count(deploy: Deploy):
    _, cloud = deploy(lambda: Budget("budget", args()))
    [budget] = cloud.of_type("aws:budgets/budget:Budget")
    assert budget.inputs["costFilters"] == [{"name": "TagKeyValue", "values": ["user:environment$dev"]}]
    assert (budget.inputs["limitAmount"], budget.inputs["limitUnit"]) == ("500.0", "USD")
    assert (budget.inputs["budgetType"], budget.inputs["timeUnit"]) == ("COST", "MONTHLY")
    assert budget.inputs["name"] == f"{PREFIX}-monthly-cost"


def test_every_threshold_warns_the_topic(deploy: Deploy):
    _, cloud = deploy(lambda: Budget("budget", args(actual_percents=(80, 100), forecast_percents=(110,))))
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
        ({"monthly_limit_usd": 0}, "monthly_limit_usd must be 1 to 10000000 US dollars, got 0"),
        ({"environment": ""}, "environment must be the value of the `environment` tag, got ''"),
        ({"environment": "de$v"}, r"got 'de\$v'"),
        ({"actual_percents": (80, 80)}, r"actual_percents repeats a threshold: \(80, 80\)"),
        ({"forecast_percents": (0,)}, "forecast_percents must be 1 to 1000 percent, got 0"),
        ({"actual_percents": (), "forecast_percents": ()}, "hold 0 thresholds, a budget takes 1 to 10"),
        ({"actual_percents": tuple(range(1, 12))}, "hold 12 thresholds"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        args(**changes)
