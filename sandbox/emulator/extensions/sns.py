"""SNS: topic attributes that moto takes and forgets."""

from typing import Any

from sandbox.emulator.extensions.registry import Call, Result, extends

_FORGOTTEN = ("SignatureVersion", "TracingConfig", "ArchivePolicy", "FifoThroughputScope")
_FEEDBACK = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")


def _is_forgotten(name: str) -> bool:
    return name in _FORGOTTEN or name.endswith(_FEEDBACK)


@extends("sns", "CreateTopic")
def create_topic(call: Call) -> Result:
    """Keep what a topic was created with; creating it again changes nothing, as on AWS."""
    result = call.proceed()
    kept = {name: value for name, value in (call.params.get("Attributes") or {}).items() if _is_forgotten(name)}
    call.remembered("topics").setdefault(result["TopicArn"], kept)
    return result


@extends("sns", "DeleteTopic")
def delete_topic(call: Call) -> Result:
    """Forget it."""
    result = call.proceed()
    call.remembered("topics").pop(call.params["TopicArn"], None)
    return result


@extends("sns", "SetTopicAttributes")
def set_attributes(call: Call) -> Result:
    """Keep an attribute; an empty value takes it away."""
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
    """Add what was kept; leave out the delivery policy that nobody set."""
    result = call.proceed()
    attributes = result["Attributes"] | call.remembered("topics").get(call.params["TopicArn"], {})
    return {
        "Attributes": {name: value for name, value in attributes.items() if (name, value) != ("DeliveryPolicy", "")}
    }
