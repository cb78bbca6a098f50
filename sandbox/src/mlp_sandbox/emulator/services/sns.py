"""SNS: topic attributes that moto accepts and drops, and e-mail subscriptions that await confirmation."""

from typing import Any

from moto.sns.models import sns_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_FORGOTTEN = ("SignatureVersion", "TracingConfig", "ArchivePolicy", "FifoThroughputScope", "MaximumMessageSize")
_CONFIRMED_BY_PEOPLE = frozenset({"email", "email-json"})
_FEEDBACK = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")


def _is_forgotten(name: str) -> bool:
    return name in _FORGOTTEN or name.endswith(_FEEDBACK)


@extends("sns", "CreateTopic")
def create_topic(call: Call) -> Result:
    """Create a topic and store its attributes. Creating it again changes nothing, as on AWS."""
    result = call.proceed()
    kept = {name: value for name, value in (call.params.get("Attributes") or {}).items() if _is_forgotten(name)}
    call.remembered("topics").setdefault(result["TopicArn"], kept)
    return result


@extends("sns", "DeleteTopic")
def delete_topic(call: Call) -> Result:
    """Delete a topic and its stored attributes."""
    result = call.proceed()
    call.remembered("topics").pop(call.params["TopicArn"], None)
    return result


@extends("sns", "SetTopicAttributes")
def set_attributes(call: Call) -> Result:
    """Set an attribute; an empty value removes it."""
    result = call.proceed()
    name, value = call.params["AttributeName"], call.params.get("AttributeValue")
    if _is_forgotten(name):
        kept: dict[str, Any] = call.remembered("topics").setdefault(call.params["TopicArn"], {})
        kept[name] = value
        if not value:
            del kept[name]
    return result


@extends("sns", "GetTopicAttributes")
def get_attributes(call: Call) -> Result:
    """Return the attributes with the stored ones, without a delivery policy that was never set."""
    result = call.proceed()
    attributes = result["Attributes"] | call.remembered("topics").get(call.params["TopicArn"], {})
    pending = [_is_pending(item) for item in _subscriptions(call).values() if item.topic_arn == call.params["TopicArn"]]
    attributes["SubscriptionsPending"] = str(sum(pending))
    attributes["SubscriptionsConfirmed"] = str(len(pending) - sum(pending))
    return {
        "Attributes": {name: value for name, value in attributes.items() if (name, value) != ("DeliveryPolicy", "")}
    }


@extends("sns", "Subscribe")
def subscribe(call: Call) -> Result:
    """Subscribe an endpoint.

    An e-mail address must be confirmed first. Until then, only requests with ReturnSubscriptionArn get its ARN.
    """
    known = set(_subscriptions(call))
    result = call.proceed()
    subscription = _subscriptions(call)[result["SubscriptionArn"]]
    if subscription.arn not in known and subscription.protocol in _CONFIRMED_BY_PEOPLE:
        subscription.attributes |= {"PendingConfirmation": True, "ConfirmationWasAuthenticated": False}
    if _is_pending(subscription) and not call.params.get("ReturnSubscriptionArn"):
        return {"SubscriptionArn": "pending confirmation"}
    return result


@extends("sns", "ConfirmSubscription")
def confirm(call: Call) -> Result:
    """Confirm a subscription. No e-mail is sent, so the token is the last part of the subscription's ARN."""
    arn = f"{call.params['TopicArn']}:{call.params['Token']}"
    subscription = _subscriptions(call).get(arn)
    if subscription is None:
        raise Fault("InvalidParameter", "Invalid parameter: Token")
    subscription.attributes["PendingConfirmation"] = False
    return {"SubscriptionArn": arn}


@extends("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def list_subscriptions(call: Call) -> Result:
    """List subscriptions. Like AWS, show a word in place of the ARN of a pending subscription."""
    result = call.proceed()
    known = _subscriptions(call)
    for item in result["Subscriptions"]:
        if item["SubscriptionArn"] in known and _is_pending(known[item["SubscriptionArn"]]):
            item["SubscriptionArn"] = "PendingConfirmation"
    return result


def _subscriptions(call: Call) -> dict[str, Any]:
    return dict(sns_backends[call.identity.account][call.identity.region].subscriptions)


def _is_pending(subscription: Any) -> bool:
    return subscription.attributes.get("PendingConfirmation") in {True, "true"}
