"""Budgets through their life.

Plain moto has no tags, no subscribers and no update of budgets; the emulator's extension adds those operations. Here a
small stand-in answers them, in the shapes of botocore's model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.budgets.models import Budget as MotoBudget
from moto.budgets.responses import BudgetsResponse

from mlp_sandbox.providers.aws.services.budgets import COST_TYPES, Budget
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
WARNING = {
    "comparisonOperator": "GREATER_THAN",
    "notificationType": "ACTUAL",
    "threshold": 80,
    "thresholdType": "PERCENTAGE",
    "subscriberSnsTopicArns": [TOPIC],
}
FULL: dict[str, Any] = {
    "name": "monthly",
    "budgetType": "COST",
    "timeUnit": "MONTHLY",
    "limitAmount": "500.0",  # as AWS writes it, so that an import finds the same text
    "limitUnit": "USD",
    "costFilters": [{"name": "TagKeyValue", "values": ["user:environment$dev"]}],
    "notifications": [WARNING, {**WARNING, "notificationType": "FORECASTED", "threshold": 99.5}],
    "tags": {"team": "ml"},
}


class Missing:
    """Stub of the operations that moto lacks."""

    def __init__(self) -> None:
        self.tags: dict[str, dict[str, str]] = {}

    def budget(self, response: BudgetsResponse, name: str) -> MotoBudget:
        return response.backend.budgets[response._get_param("AccountId")][name]

    def create_budget(self, response: BudgetsResponse) -> str:
        account, budget = response._get_param("AccountId"), response._get_param("Budget")
        arn = f"arn:aws:budgets::{account}:budget/{budget['BudgetName']}"
        self.tags[arn] = {tag["Key"]: tag["Value"] for tag in response._get_param("ResourceTags", [])}
        # AWS writes amounts with a decimal point.
        budget["BudgetLimit"]["Amount"] = str(float(budget["BudgetLimit"]["Amount"]))
        response.backend.create_budget(account, budget, response._get_param("NotificationsWithSubscribers", []))
        return "{}"

    def update_budget(self, response: BudgetsResponse) -> str:
        new = response._get_param("NewBudget")
        budget = self.budget(response, new["BudgetName"])
        budget.budget = {**new, "TimePeriod": new.get("TimePeriod", budget.budget["TimePeriod"])}
        return "{}"

    def describe_subscribers_for_notification(self, response: BudgetsResponse) -> str:
        budget = self.budget(response, response._get_param("BudgetName"))
        wanted = response._get_param("Notification")
        notifications: list[Any] = list(budget.notifications)
        [found] = [one for one in notifications if one.details == wanted]
        return json.dumps({"Subscribers": found.subscribers[::-1]})

    def list_tags_for_resource(self, response: BudgetsResponse) -> str:
        tags = self.tags[response._get_param("ResourceARN")]
        return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    def tag_resource(self, response: BudgetsResponse) -> str:
        tags = self.tags[response._get_param("ResourceARN")]
        tags.update({tag["Key"]: tag["Value"] for tag in response._get_param("ResourceTags")})
        return "{}"

    def untag_resource(self, response: BudgetsResponse) -> str:
        for key in response._get_param("ResourceTagKeys"):
            del self.tags[response._get_param("ResourceARN")][key]
        return "{}"


@pytest.fixture(autouse=True)
def whole_service(own_account: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    added = Missing()
    for name in vars(Missing):
        if name.endswith(("budget", "resource", "notification")) and name != "budget":
            operation = getattr(added, name)
            monkeypatch.setattr(
                BudgetsResponse, name, lambda response, operation=operation: operation(response), raising=False
            )
    with mock_aws():
        yield


def test_budgets_know_the_inputs_of_the_official_sdk() -> None:
    assert_speaks_the_sdk(Budget())


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs([Budget()]) == {
        "Budget": {"name", "namePrefix", "accountId"},
    }


def test_a_budget_changes_everything_but_its_name_in_place() -> None:
    changed = {
        **FULL,
        "limitAmount": "750.5",
        "costFilters": [{"name": "Service", "values": ["Amazon SageMaker", "Amazon EKS"]}],
        "costTypes": {"includeTax": False},
        "notifications": [{**WARNING, "threshold": 90}],
        "timePeriodEnd": "2030-01-31_00:00",
        "tags": {"owner": "platform"},
    }
    bare = {name: FULL[name] for name in ("name", "budgetType", "timeUnit", "limitAmount", "limitUnit")}
    assert Life(Budget()).lives(FULL, changed) == "123456789012:monthly"
    Life(Budget()).lives(bare)


def test_an_amount_that_aws_writes_in_another_form_is_the_same_amount() -> None:
    life, short = Life(Budget()), {**FULL, "limitAmount": "500"}
    id = life.create(**short)
    assert life.live(id, **short)["limitAmount"] == "500"
    assert life.live(id)["limitAmount"] == "500.0"
    assert life.live(id, **{**FULL, "limitAmount": "501"})["limitAmount"] == "500.0"


def test_cost_types_left_out_are_aws_defaults() -> None:
    life = Life(Budget())
    costs = life.live(life.create(**{**FULL, "costTypes": {"includeCredit": False}}))["costTypes"]
    assert costs == {**COST_TYPES, "includeCredit": False}


def test_the_period_that_aws_chooses_is_given_out() -> None:
    life = Life(Budget())
    live = life.live(life.create(**FULL))
    assert live["timePeriodEnd"] == "2087-06-15_00:00"
    assert live["timePeriodStart"].endswith("-01_00:00")


def test_the_order_of_subscribers_is_no_drift() -> None:
    life = Life(Budget())
    several = {**WARNING, "subscriberEmailAddresses": ["a@example.com", "b@example.com"]}
    inputs = {**FULL, "notifications": [several]}
    assert life.live(life.create(**inputs), **inputs)["notifications"] == [several]


def test_a_notification_added_by_hand_is_drift() -> None:
    life = Life(Budget())
    id = life.create(**FULL)
    boto3.client("budgets").create_notification(
        AccountId="123456789012",
        BudgetName="monthly",
        Notification={
            "NotificationType": "ACTUAL",
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": 10,
            "ThresholdType": "PERCENTAGE",
        },
        Subscribers=[{"SubscriptionType": "EMAIL", "Address": "a@example.com"}],
    )
    assert len(life.live(id, **FULL)["notifications"]) == 3


def test_an_import_id_without_an_account_is_refused_with_the_form() -> None:
    with pytest.raises(ValueError, match="<account id>:<budget name>"):
        Life(Budget()).read("monthly")


def test_bad_inputs_are_refused_with_the_fix() -> None:
    bad = {
        **FULL,
        "timeUnit": "WEEKLY",
        "limitAmount": "much",
        "timePeriodStart": "January",
        "metrics": "Hours",
        "notifications": [{**WARNING, "subscriberSnsTopicArns": []}],
    }
    problems = dict(Budget().check(bad))
    assert "MONTHLY" in problems["timeUnit"]
    assert "give a number as text" in problems["limitAmount"]
    assert "2030-01-31_00:00" in problems["timePeriodStart"]
    assert "use costTypes" in problems["metrics"]
    assert "reaches nobody" in problems["notifications[0]"]
    assert dict(Budget().check({"name": "a", "budgetType": "COST", "timeUnit": "DAILY"}))["limitAmount"]
