"""SNS topics, their policies and subscriptions, whose attributes AWS keeps as text, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    REGION,
    TAGS,
    Problems,
    ServiceHandler,
    between,
    change_tags,
    document,
    error_code,
    from_pairs,
    given,
    json_text,
    missing,
    one_of,
    present,
    to_pairs,
)

FEEDBACK = {"application": "Application", "firehose": "Firehose", "http": "HTTP", "lambda": "Lambda", "sqs": "SQS"}
TOPIC_ATTRIBUTES = {
    **{f"{name}FailureFeedbackRoleArn": f"{text}FailureFeedbackRoleArn" for name, text in FEEDBACK.items()},
    **{f"{name}SuccessFeedbackRoleArn": f"{text}SuccessFeedbackRoleArn" for name, text in FEEDBACK.items()},
    **{f"{name}SuccessFeedbackSampleRate": f"{text}SuccessFeedbackSampleRate" for name, text in FEEDBACK.items()},
    "archivePolicy": "ArchivePolicy",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoThroughputScope": "FifoThroughputScope",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maximumMessageSize": "MaximumMessageSize",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
NUMBERS = {name for name in TOPIC_ATTRIBUTES if name.endswith("SampleRate")} | {
    "maximumMessageSize",
    "signatureVersion",
}
DOCUMENTS = {"archivePolicy", "deliveryPolicy", "filterPolicy", "policy", "redrivePolicy", "replayPolicy"}
FLAGS = {"contentBasedDeduplication", "rawMessageDelivery"}
# The scope comes first: AWS rejects a filter on nested keys until the scope is the message body.
SUBSCRIPTION_ATTRIBUTES = {
    "filterPolicyScope": "FilterPolicyScope",
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "replayPolicy": "ReplayPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")


class Topic(ServiceHandler):
    token = "aws:sns/topic:Topic"
    service = "sns"
    tagged = True
    autoname = AutoName(max_length=256)
    outputs = ("arn", "beginningArchiveTime", "owner")
    fields: ClassVar[Mapping[str, Field]] = {
        **{name: Field() for name in TOPIC_ATTRIBUTES},
        **NAMED,
        **REGION,
        **TAGS,
        "archivePolicy": Field(kind="json"),
        "contentBasedDeduplication": Field(default=False),
        "deliveryPolicy": Field(kind="json"),
        "fifoThroughputScope": Field(computed=True),
        "fifoTopic": Field(replace=True, default=False),
        "maximumMessageSize": Field(computed=True),
        "policy": Field(kind="json", computed=True),
        "signatureVersion": Field(computed=True),
        "tracingConfig": Field(computed=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        for name in sorted(NUMBERS):
            if name.endswith("SampleRate"):
                problems += between(inputs, name, 0, 100)
        problems += between(inputs, "maximumMessageSize", 1024, 1048576)
        problems += one_of(inputs, "signatureVersion", (1, 2))
        problems += one_of(inputs, "tracingConfig", ("PassThrough", "Active"))
        name, fifo = inputs.get("name"), inputs.get("fifoTopic", False)
        if isinstance(name, str) and isinstance(fifo, bool) and fifo != name.endswith(".fifo"):
            fix = "must end in '.fifo' for a FIFO topic" if fifo else "ends in '.fifo': set fifoTopic to true"
            problems.append(("name", f"is {name!r}: {fix}"))
        return [*problems, *json_text(inputs, "policy")]

    def create(self, aws: Aws, inputs: Props) -> str:
        sns = self.client(aws, inputs)
        fifo = {"FifoTopic": "true"} if inputs.get("fifoTopic") else {}
        arn = sns.create_topic(Name=inputs["name"], Attributes=fifo, Tags=to_pairs(inputs.get("tags")))["TopicArn"]
        aws.created(arn)
        for name, attribute in TOPIC_ATTRIBUTES.items():
            if name in inputs and (name not in FLAGS or inputs[name]):
                sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=_text(inputs[name]))
        return arn

    @missing("NotFound")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        sns = self.client(aws, inputs)
        found = sns.get_topic_attributes(TopicArn=id)["Attributes"]
        tags = sns.list_tags_for_resource(ResourceArn=id).get("Tags")
        return {
            "name": id.rsplit(":", 1)[1],
            "arn": id,
            "owner": found["Owner"],
            "beginningArchiveTime": found.get("BeginningArchiveTime", ""),
            "region": self.region(aws, inputs),
            "fifoTopic": found.get("FifoTopic", "false") == "true",
            **_values(found, TOPIC_ATTRIBUTES, inputs),
            **present(tags=from_pairs(tags)),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        sns = self.client(aws, new)
        for name, attribute in TOPIC_ATTRIBUTES.items():
            if name in changed:
                value = new.get(name, False if name in FLAGS else "0" if name.endswith("SampleRate") else "")
                sns.set_topic_attributes(TopicArn=id, AttributeName=attribute, AttributeValue=_text(value))
        if "tags" in changed:
            change_tags(
                old,
                new,
                tag=lambda tags: sns.tag_resource(ResourceArn=id, Tags=to_pairs(tags)),
                untag=lambda keys: sns.untag_resource(ResourceArn=id, TagKeys=keys),
            )

    @missing("NotFound")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_topic(TopicArn=id)


class TopicPolicy(ServiceHandler):
    token = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    outputs = ("owner",)
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "arn": Field(replace=True),
        "policy": Field(kind="json"),
    }

    def check(self, inputs: Props) -> Problems:
        return json_text(inputs, "policy")

    def create(self, aws: Aws, inputs: Props) -> str:
        self._put(aws, inputs, inputs["arn"], inputs["policy"])
        return str(inputs["arn"])

    @missing("NotFound")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        found = self.client(aws, inputs).get_topic_attributes(TopicArn=id)["Attributes"]
        policy = document(found.get("Policy"), inputs.get("policy"))
        return {"arn": id, "owner": found["Owner"], "region": self.region(aws, inputs), **given(policy=policy)}

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self._put(aws, new, id, new["policy"])

    @missing("NotFound")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        # A topic always has a policy, so deletion restores the policy of a new topic.
        self._put(aws, state, id, _first_policy(id))

    def _put(self, aws: Aws, props: Props, arn: str, policy: str) -> None:
        self.client(aws, props).set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


class TopicSubscription(ServiceHandler):
    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    outputs = ("arn", "confirmationWasAuthenticated", "ownerId", "pendingConfirmation")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "confirmationTimeoutInMinutes": Field(default=1, write_only=True),
        "deliveryPolicy": Field(kind="json"),
        "endpoint": Field(replace=True),
        "endpointAutoConfirms": Field(default=False, write_only=True),
        "filterPolicy": Field(kind="json"),
        "filterPolicyScope": Field(computed=True),
        "protocol": Field(replace=True),
        "rawMessageDelivery": Field(default=False),
        "redrivePolicy": Field(kind="json"),
        "replayPolicy": Field(kind="json"),
        "subscriptionRoleArn": Field(),
        "topic": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        return [
            *one_of(inputs, "protocol", PROTOCOLS),
            *one_of(inputs, "filterPolicyScope", ("MessageAttributes", "MessageBody")),
            *json_text(inputs, "filterPolicy"),
            *json_text(inputs, "redrivePolicy"),
        ]

    def create(self, aws: Aws, inputs: Props) -> str:
        wanted = {text: _text(inputs[name]) for name, text in SUBSCRIPTION_ATTRIBUTES.items() if name in inputs}
        # An e-mail address confirms later; its subscription already exists as pending, and has an ARN.
        return self.client(aws, inputs).subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=wanted,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    @missing("NotFound")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        found = self.client(aws, inputs).get_subscription_attributes(SubscriptionArn=id)["Attributes"]
        return {
            "arn": id,
            "topic": found["TopicArn"],
            "protocol": found["Protocol"],
            "endpoint": found["Endpoint"],
            "ownerId": found["Owner"],
            "region": self.region(aws, inputs),
            "pendingConfirmation": found.get("PendingConfirmation") == "true",
            "confirmationWasAuthenticated": found.get("ConfirmationWasAuthenticated") == "true",
            **_values(found, SUBSCRIPTION_ATTRIBUTES, inputs),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        sns = self.client(aws, new)
        unset = {"filterPolicy": "{}", "rawMessageDelivery": "false"}
        for name, attribute in SUBSCRIPTION_ATTRIBUTES.items():
            if name in changed:
                value = _text(new[name]) if name in new else unset.get(name, "")
                sns.set_subscription_attributes(SubscriptionArn=id, AttributeName=attribute, AttributeValue=value)

    @missing("NotFound")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        try:
            self.client(aws, state).unsubscribe(SubscriptionArn=id)
        except ClientError as error:
            # AWS removes an unconfirmed subscription by itself after some days; no caller can remove it earlier.
            if error_code(error) != "InvalidParameter" or "pending confirmation" not in str(error):
                raise


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(found: Mapping[str, str], attributes: Mapping[str, str], inputs: Props) -> Props:
    """Convert attributes to inputs; AWS reports unset ones as empty or leaves them out."""
    values: Props = {}
    for name, attribute in attributes.items():
        text = found.get(attribute)
        if text in (None, "", "{}"):
            continue
        if name in FLAGS:
            values[name] = text == "true"
        elif name in NUMBERS:
            values[name] = int(text)
        else:
            values[name] = document(text, inputs.get(name)) if name in DOCUMENTS else text
    return values


def _first_policy(arn: str) -> str:
    account = arn.split(":")[4]
    actions = "GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe "
    actions += "ListSubscriptionsByTopic Publish"
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in actions.split()],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


HANDLERS: list[Handler] = [Topic(), TopicPolicy(), TopicSubscription()]
