"""Budgets: tags, updates, notifications and their subscribers, all of which moto lacks."""

from datetime import UTC, datetime
from typing import Any

from moto.budgets.models import Budget, Notification, budgets_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends


def _budgets(call: Call) -> dict[str, Budget]:
    return budgets_backends[call.identity.account]["aws"].budgets[call.params.get("AccountId") or call.identity.account]


def _budget(call: Call, name: str) -> Any:
    if name not in _budgets(call):
        raise Fault("NotFoundException", f"Unable to find budget: {name} - the budget doesn't exist.")
    return _budgets(call)[name]


def _notification(call: Call, details: dict[str, Any]) -> Any:
    budget = _budget(call, call.params["BudgetName"])
    for notification in budget.notifications:
        if _same(notification.details, details):
            return notification
    raise Fault("NotFoundException", f"Budget {call.params['BudgetName']} has no such notification: {details}")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    def key(details: dict[str, Any]) -> tuple[Any, ...]:
        return (
            details.get("NotificationType"),
            details.get("ComparisonOperator"),
            float(details.get("Threshold") or 0),
            details.get("ThresholdType") or "PERCENTAGE",
        )

    return key(one) == key(other)


def _tags(call: Call, arn: str) -> dict[str, str]:
    name = arn.rpartition(":budget/")[2]
    _budget(call, name)
    return call.remembered("tags", regional=False).setdefault(name, {})


@extends("budgets", "CreateBudget")
def create(call: Call) -> Result:
    """Create a budget and store its tags."""
    result = call.proceed()
    tags = {tag["Key"]: tag["Value"] for tag in call.params.get("ResourceTags") or []}
    call.remembered("tags", regional=False)[call.params["Budget"]["BudgetName"]] = tags
    return result


@extends("budgets", "UpdateBudget")
def update(call: Call) -> Result:
    """Replace the definition and keep the notifications. The start of the period stays unless the request sets it."""
    new = dict(call.params["NewBudget"])
    budget = _budget(call, new["BudgetName"])
    if not {"BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData"} & set(new):
        raise Fault("InvalidParameterException", "NewBudget needs BudgetLimit, PlannedBudgetLimits or AutoAdjustData")
    if new.get("BudgetType", budget.budget["BudgetType"]) != budget.budget["BudgetType"]:
        raise Fault("InvalidParameterException", "NewBudget: BudgetType of an existing budget cannot be changed")
    period = budget.budget["TimePeriod"] | {
        name: moment.timestamp() if isinstance(moment, datetime) else moment
        for name, moment in (new.get("TimePeriod") or {}).items()
    }
    budget.budget = new | {"TimePeriod": period, "LastUpdatedTime": datetime.now(UTC).timestamp()}
    return {}


@extends("budgets", "DeleteBudget")
def delete(call: Call) -> Result:
    """Delete a budget and its tags."""
    result = call.proceed()
    call.remembered("tags", regional=False).pop(call.params["BudgetName"], None)
    return result


@extends("budgets", "ListTagsForResource")
def list_tags(call: Call) -> Result:
    """List the tags of a budget."""
    return {"ResourceTags": [{"Key": k, "Value": v} for k, v in _tags(call, call.params["ResourceARN"]).items()]}


@extends("budgets", "TagResource")
def tag(call: Call) -> Result:
    """Set tags of a budget."""
    _tags(call, call.params["ResourceARN"]).update({item["Key"]: item["Value"] for item in call.params["ResourceTags"]})
    return {}


@extends("budgets", "UntagResource")
def untag(call: Call) -> Result:
    """Remove tags of a budget."""
    tags = _tags(call, call.params["ResourceARN"])
    for key in call.params["ResourceTagKeys"]:
        tags.pop(key, None)
    return {}


@extends("budgets", "CreateNotification")
def create_notification(call: Call) -> Result:
    """Create a notification; reject one that already exists."""
    budget = _budget(call, call.params["BudgetName"])
    if any(_same(known.details, call.params["Notification"]) for known in budget.notifications):
        raise Fault("DuplicateRecordException", "Unable to create notification - it already exists.")
    return call.proceed()


@extends("budgets", "UpdateNotification")
def update_notification(call: Call) -> Result:
    """Replace a notification and keep its subscribers."""
    _notification(call, call.params["OldNotification"]).details = dict(call.params["NewNotification"])
    return {}


@extends("budgets", "DeleteNotification")
def delete_notification(call: Call) -> Result:
    """Delete a notification. Only the fields that identify it are compared."""
    notification = _notification(call, call.params["Notification"])
    budget = _budget(call, call.params["BudgetName"])
    budget.notifications = [known for known in budget.notifications if known is not notification]
    return {}


@extends("budgets", "DescribeNotificationsForBudget")
def describe_notifications(call: Call) -> Result:
    """Describe the notifications with the state that AWS adds. Nothing is ever spent here."""
    notifications = _budget(call, call.params["BudgetName"]).notifications
    defaults = {"ThresholdType": "PERCENTAGE", "NotificationState": "OK"}
    return {"Notifications": [defaults | known.details for known in notifications]}


@extends("budgets", "DescribeSubscribersForNotification")
def describe_subscribers(call: Call) -> Result:
    """List the subscribers of a notification."""
    return {"Subscribers": list(_notification(call, call.params["Notification"]).subscribers)}


@extends("budgets", "CreateSubscriber")
def create_subscriber(call: Call) -> Result:
    """Add a subscriber."""
    notification: Notification = _notification(call, call.params["Notification"])
    subscribers: Any = notification.subscribers
    if call.params["Subscriber"] in subscribers:
        raise Fault("DuplicateRecordException", "Unable to create subscriber - it already exists.")
    subscribers.append(call.params["Subscriber"])
    return {}


@extends("budgets", "DeleteSubscriber")
def delete_subscriber(call: Call) -> Result:
    """Remove a subscriber."""
    notification = _notification(call, call.params["Notification"])
    if call.params["Subscriber"] not in notification.subscribers:
        raise Fault("NotFoundException", "Unable to delete subscriber - the subscriber doesn't exist.")
    notification.subscribers.remove(call.params["Subscriber"])
    return {}


@extends("budgets", "UpdateSubscriber")
def update_subscriber(call: Call) -> Result:
    """Replace a subscriber."""
    subscribers = _notification(call, call.params["Notification"]).subscribers
    if call.params["OldSubscriber"] not in subscribers:
        raise Fault("NotFoundException", "Unable to update subscriber - the subscriber doesn't exist.")
    subscribers[subscribers.index(call.params["OldSubscriber"])] = call.params["NewSubscriber"]
    return {}
