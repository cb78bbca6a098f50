"""Topics, their policies and subscriptions through their life."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Aws, Handler
from mlp_sandbox.providers.aws.services.sns import HANDLERS, Topic, TopicPolicy, TopicSubscription
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

# Plain moto forgets the signature version and the tracing mode; the emulator's extension keeps them.
LOST = ("signatureVersion", "tracingConfig")


def allow(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def topic(own_account: None) -> Iterator[str]:
    with mock_aws():
        yield Life(Topic()).create(name="alerts")


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs(HANDLERS) == {
        "Topic": {"name", "namePrefix", "fifoTopic", "region"},
        "TopicPolicy": {"arn", "region"},
        "TopicSubscription": {"topic", "protocol", "endpoint", "region"},
    }


@mock_aws
def test_a_topic_changes_its_attributes_and_tags_in_place() -> None:
    inputs = {
        "name": "alerts",
        "displayName": "Alerts",
        "kmsMasterKeyId": "alias/logs",
        "signatureVersion": 2,
        "tracingConfig": "Active",
        "tags": {"team": "ml"},
    }
    changed = {**inputs, "displayName": "Alarms", "policy": allow("budgets.amazonaws.com"), "tags": {"a": "1"}}
    id = Life(Topic(), unread=LOST).lives(inputs, changed, {"name": "alerts"})
    assert id == "arn:aws:sns:us-east-1:123456789012:alerts"


@mock_aws
def test_a_fifo_topic_reads_back() -> None:
    Life(Topic()).lives({"name": "alerts.fifo", "fifoTopic": True, "contentBasedDeduplication": True})


@mock_aws
def test_the_topic_is_recorded_before_its_attributes_are_set() -> None:
    def refuse(**_call: object) -> None:
        raise ClientError({"Error": {"Code": "InvalidParameter", "Message": "too long"}}, "SetTopicAttributes")

    life = Life(Topic())
    life.aws.clients = None  # a client of its own, to be spoilt
    life.aws.client("sns").meta.events.register("before-call.sns.SetTopicAttributes", refuse)
    with pytest.raises(ClientError, match="too long"):
        life.create(name="alerts", displayName="x" * 200)
    assert life.created == ["arn:aws:sns:us-east-1:123456789012:alerts"]


def test_bad_topic_inputs_are_refused_with_the_fix() -> None:
    problems = dict(
        Topic().check(
            {
                "name": "alerts",
                "fifoTopic": True,
                "sqsSuccessFeedbackSampleRate": 101,
                "signatureVersion": 3,
                "policy": "all",
            }
        )
    )
    assert "'.fifo'" in problems["name"]
    assert problems["sqsSuccessFeedbackSampleRate"] == "is 101: give a number from 0 to 100"
    assert problems["signatureVersion"] == "is 3: give one of 1, 2"
    assert "JSON" in problems["policy"]


def test_a_topic_policy_changes_in_place_and_leaves_the_default_behind(topic: str) -> None:
    life = Life(TopicPolicy())
    first = json.loads(Life(Topic()).live(topic)["policy"])
    old = {"arn": topic, "policy": allow("budgets.amazonaws.com")}
    new = {"arn": topic, "policy": allow("events.amazonaws.com")}
    id = life.create(**old)
    life.reads_back(id, old)
    life.update(id, old, new)
    life.reads_back(id, new)
    life.delete(id, **new)
    assert json.loads(life.live(id)["policy"]) == first


def test_the_policy_of_a_topic_that_is_gone_is_gone(topic: str) -> None:
    Life(Topic()).delete(topic)
    life = Life(TopicPolicy())
    assert life.read(topic) is None
    life.delete(topic)


def test_an_email_subscription_exists_before_it_is_confirmed(topic: str) -> None:
    life = Life(TopicSubscription())
    id = life.lives({"topic": topic, "protocol": "email", "endpoint": "ml@example.com"})
    assert id.startswith(f"{topic}:")


def test_a_queue_subscription_changes_filter_and_delivery_in_place(topic: str) -> None:
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    inputs = {"topic": topic, "protocol": "sqs", "endpoint": arn["QueueArn"], "rawMessageDelivery": True}
    filtered = {
        **inputs,
        "rawMessageDelivery": False,
        "filterPolicy": json.dumps({"kind": ["alarm"]}),
        "filterPolicyScope": "MessageBody",
    }
    Life(TopicSubscription()).lives(inputs, filtered, inputs)


class PendingClient:
    def __init__(self, message: str) -> None:
        self.message = message

    def unsubscribe(self, **_arguments: str) -> None:
        raise ClientError({"Error": {"Code": "InvalidParameter", "Message": self.message}}, "Unsubscribe")


class OneClient(Aws):
    def __init__(self, client: Any) -> None:
        super().__init__(region="us-east-1")
        self.only = client

    def client(self, service: str) -> Any:
        return self.only


def test_an_unconfirmed_subscription_that_aws_keeps_counts_as_deleted() -> None:
    pending = PendingClient("Invalid parameter: cannot unsubscribe while pending confirmation")
    TopicSubscription().delete(OneClient(pending), "arn", {})
    with pytest.raises(ClientError):
        TopicSubscription().delete(OneClient(PendingClient("bad ARN")), "arn", {})


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    assert "email, email-json" in TopicSubscription().check({"protocol": "pigeon"})[0][1]
