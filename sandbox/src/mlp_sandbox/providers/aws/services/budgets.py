"""AWS budgets with their notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    TAGS,
    Problems,
    ServiceHandler,
    change_tags,
    from_pairs,
    from_shape,
    given,
    missing,
    one_of,
    present,
    to_pairs,
    to_shape,
)
from mlp_sandbox.providers.aws.services._waiting import refused

TIME = "%Y-%m-%d_%H:%M"
COST_TYPES = {
    **dict.fromkeys(("includeCredit", "includeDiscount", "includeOtherSubscription", "includeRecurring"), True),
    **dict.fromkeys(("includeRefund", "includeSubscription", "includeSupport", "includeTax", "includeUpfront"), True),
    **dict.fromkeys(("useAmortized", "useBlended"), False),
}
SUBSCRIBERS = {"subscriberEmailAddresses": "EMAIL", "subscriberSnsTopicArns": "SNS"}
UNSUPPORTED = {
    "autoAdjustData": "give limitAmount and limitUnit",
    "billingViewArn": "leave it out for the account's own view",
    "filterExpression": "use costFilters",
    "metrics": "use costTypes",
}


class Budget(ServiceHandler):
    token = "aws:budgets/budget:Budget"
    service = "budgets"
    tagged = True
    autoname = AutoName(max_length=100)
    outputs = ("arn",)
    unsupported: ClassVar[Mapping[str, str]] = UNSUPPORTED
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **TAGS,
        **{name: Field(computed=True) for name in UNSUPPORTED},
        "accountId": Field(replace=True, computed=True),
        "budgetType": Field(),
        "costFilters": Field(kind="set", computed=True),
        "costTypes": Field(computed=True),
        "limitAmount": Field(computed=True),
        "limitUnit": Field(computed=True),
        "notifications": Field(kind="set"),
        "plannedLimits": Field(kind="set"),
        "timePeriodEnd": Field(computed=True),
        "timePeriodStart": Field(computed=True),
        "timeUnit": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [
            *super().check(inputs),
            *refused(inputs, self.unsupported, also_empty=True),
            *one_of(inputs, "timeUnit", ("DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY", "CUSTOM")),
        ]
        amount = inputs.get("limitAmount")
        if isinstance(amount, str) and _number(amount) is None:
            problems.append(("limitAmount", f"is {amount!r}: give a number as text, such as '100.0'"))
        if "limitAmount" not in inputs and "plannedLimits" not in inputs:
            problems.append(("limitAmount", "is missing: give it and limitUnit, or plannedLimits"))
        for field in ("timePeriodStart", "timePeriodEnd"):
            value = inputs.get(field)
            if isinstance(value, str) and not _is_time(value):
                problems.append((field, f"is {value!r}: write it like 2030-01-31_00:00"))
        notifications = inputs.get("notifications")
        for index, item in enumerate(notifications if isinstance(notifications, list) else []):
            if isinstance(item, dict) and not any(item.get(field) for field in SUBSCRIBERS):
                problems.append((f"notifications[{index}]", f"reaches nobody: give {' or '.join(SUBSCRIBERS)}"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        account = inputs.get("accountId") or aws.account_id()
        self.client(aws, {}).create_budget(
            AccountId=account,
            Budget=_to_budget(inputs),
            NotificationsWithSubscribers=[
                {"Notification": _to_notification(item), "Subscribers": _to_subscribers(item)}
                for item in inputs.get("notifications", [])
            ],
            **given(ResourceTags=to_pairs(inputs.get("tags")) or None),
        )
        return f"{account}:{inputs['name']}"

    @missing("NotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        budgets, (account, name) = self.client(aws, {}), _split(id)
        found = budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
        arn = _arn(account, name)
        limit, period = found.get("BudgetLimit", {}), found.get("TimePeriod", {})
        filters = [{"name": key, "values": values} for key, values in found.get("CostFilters", {}).items()]
        return {
            "name": name,
            "accountId": account,
            "arn": arn,
            "budgetType": found["BudgetType"],
            "timeUnit": found["TimeUnit"],
            **present(
                limitAmount=_amount(limit.get("Amount"), inputs.get("limitAmount")),
                limitUnit=limit.get("Unit"),
                costFilters=filters,
                costTypes=from_shape(found.get("CostTypes")),
                plannedLimits=_planned(found.get("PlannedBudgetLimits", {}), inputs.get("plannedLimits", [])),
                timePeriodStart=_time_text(period.get("Start")),
                timePeriodEnd=_time_text(period.get("End")),
                notifications=_notifications(budgets, account, name, inputs.get("notifications", [])),
                tags=from_pairs(budgets.list_tags_for_resource(ResourceARN=arn).get("ResourceTags")),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        budgets, (account, name) = self.client(aws, {}), _split(id)
        if changed - {"notifications", "tags"}:
            budgets.update_budget(AccountId=account, NewBudget=_to_budget(new))
        if "notifications" in changed:
            target = {"AccountId": account, "BudgetName": name}
            before, after = old.get("notifications", []), new.get("notifications", [])
            for item in before:
                if item not in after:
                    budgets.delete_notification(**target, Notification=_to_notification(item))
            for item in after:
                if item not in before:
                    what, whom = _to_notification(item), _to_subscribers(item)
                    budgets.create_notification(**target, Notification=what, Subscribers=whom)
        if "tags" in changed:
            arn = _arn(account, name)
            change_tags(
                old,
                new,
                tag=lambda tags: budgets.tag_resource(ResourceARN=arn, ResourceTags=to_pairs(tags)),
                untag=lambda keys: budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=keys),
            )

    @missing("NotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        account, name = _split(id)
        self.client(aws, {}).delete_budget(AccountId=account, BudgetName=name)


def _to_budget(inputs: Props) -> dict[str, Any]:
    limit, costs = None, None
    if "limitAmount" in inputs and "plannedLimits" not in inputs:
        limit = {"Amount": inputs["limitAmount"], "Unit": inputs.get("limitUnit", "USD")}
    if inputs["budgetType"] == "COST":
        costs = to_shape({**COST_TYPES, **inputs.get("costTypes", {})})
    period = given(Start=_time(inputs.get("timePeriodStart")), End=_time(inputs.get("timePeriodEnd")))
    planned = {
        str(int(_time(item["startTime"]).timestamp())): {"Amount": item["amount"], "Unit": item["unit"]}
        for item in inputs.get("plannedLimits", [])
    }
    return given(
        BudgetName=inputs["name"],
        BudgetType=inputs["budgetType"],
        TimeUnit=inputs["timeUnit"],
        BudgetLimit=limit,
        PlannedBudgetLimits=planned or None,
        CostFilters={item["name"]: item["values"] for item in inputs.get("costFilters", [])} or None,
        CostTypes=costs,
        TimePeriod=period or None,
    )


def _to_notification(item: Props) -> dict[str, Any]:
    return to_shape({name: value for name, value in item.items() if name not in SUBSCRIBERS})


def _to_subscribers(item: Props) -> list[dict[str, str]]:
    return [
        {"SubscriptionType": kind, "Address": address}
        for field, kind in SUBSCRIBERS.items()
        for address in item.get(field, [])
    ]


def _notifications(budgets: Any, account: str, name: str, known: Sequence[Props]) -> list[Props]:
    target = {"AccountId": account, "BudgetName": name}
    result: list[Props] = []
    for page in budgets.get_paginator("describe_notifications_for_budget").paginate(**target):
        for found in page["Notifications"]:
            subscribers = budgets.describe_subscribers_for_notification(**target, Notification=found)["Subscribers"]
            item = {name: _whole(value) for name, value in from_shape(found).items() if name != "notificationState"}
            for field, kind in SUBSCRIBERS.items():
                addresses = [one["Address"] for one in subscribers if one["SubscriptionType"] == kind]
                item |= {field: addresses} if addresses else {}
            result.append(_as_known(item, known))
    return result


def _as_known(item: Props, known: Sequence[Props]) -> Props:
    """Return the program's notation of a notification, because the order of its subscribers has no meaning."""
    return next((one for one in known if _unordered(one) == _unordered(item)), item)


def _unordered(item: Props) -> Props:
    return {key: set(value) if isinstance(value, list) else value for key, value in item.items() if value != []}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _planned(found: Mapping[str, Mapping[str, str]], known: Sequence[Props]) -> list[Props]:
    amounts = {item["startTime"]: item["amount"] for item in known}
    times = {_time_text(datetime.fromtimestamp(int(start), UTC)): spend for start, spend in found.items()}
    return [
        {"startTime": start, "amount": _amount(spend["Amount"], amounts.get(start)), "unit": spend["Unit"]}
        for start, spend in times.items()
    ]


def _amount(found: str | None, known: Any) -> str | None:
    """Keep the program's notation while the number is the same: AWS writes 100 as 100.0."""
    return str(known) if found and known is not None and _number(found) == _number(known) else found


def _number(text: Any) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _time(text: Any) -> Any:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC) if text else None


def _is_time(text: str) -> bool:
    try:
        return bool(_time(text))
    except ValueError:
        return False


def _time_text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime(TIME) if moment else None


def _split(id: str) -> tuple[str, str]:
    account, found, name = id.partition(":")
    if not found:
        raise ValueError(f"the id {id!r} is not of the form <account id>:<budget name>")
    return account, name


def _arn(account: str, name: str) -> str:
    return f"arn:aws:budgets::{account}:budget/{name}"


HANDLERS: list[Handler] = [Budget()]
