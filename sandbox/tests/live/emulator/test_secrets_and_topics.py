"""Secrets Manager and SNS: names in the recovery window, removed descriptions, unconfirmed e-mail subscriptions."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Clients = Callable[[str], Any]


def test_a_secret_that_waits_for_its_deletion_is_told_apart_from_one_that_exists(client: Clients):
    secrets = client("secretsmanager")
    secrets.create_secret(Name="waiting", SecretString="x")
    with pytest.raises(ClientError, match="ResourceExistsException"):
        secrets.create_secret(Name="waiting", SecretString="x")
    secrets.delete_secret(SecretId="waiting", RecoveryWindowInDays=7)
    message = "a secret with this name is already scheduled for deletion."
    with pytest.raises(ClientError, match=message) as refusal:
        secrets.create_secret(Name="waiting", SecretString="x")
    assert refusal.value.response["Error"]["Code"] == "InvalidRequestException"
    secrets.restore_secret(SecretId="waiting")
    secrets.delete_secret(SecretId="waiting", ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name="waiting", SecretString="x")


def test_an_empty_description_takes_a_secrets_description_away(client: Clients):
    secrets = client("secretsmanager")
    arn = secrets.create_secret(Name="described", Description="words", SecretString="x")["ARN"]
    secrets.update_secret(SecretId=arn, SecretString="y")
    assert secrets.describe_secret(SecretId=arn)["Description"] == "words"
    secrets.update_secret(SecretId=arn, Description="")
    assert not secrets.describe_secret(SecretId=arn).get("Description")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "y"


def test_the_largest_message_of_a_topic_is_kept(client: Clients):
    sns = client("sns")
    arn = sns.create_topic(Name="sized", Attributes={"MaximumMessageSize": "2048"})["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["MaximumMessageSize"] == "2048"
    sns.set_topic_attributes(TopicArn=arn, AttributeName="MaximumMessageSize", AttributeValue="4096")
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["MaximumMessageSize"] == "4096"


def test_an_e_mail_subscription_is_pending_until_it_is_confirmed(client: Clients):
    sns = client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    address = {"TopicArn": topic, "Protocol": "email", "Endpoint": "team@example.com"}
    assert sns.subscribe(**address)["SubscriptionArn"] == "pending confirmation"
    arn = sns.subscribe(**address, ReturnSubscriptionArn=True)["SubscriptionArn"]

    def states() -> tuple[str, list[str], str]:
        return (
            sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"],
            [item["SubscriptionArn"] for item in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]],
            sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"],
        )

    assert states() == ("true", ["PendingConfirmation"], "1")
    with pytest.raises(ClientError, match="Invalid parameter: Token"):
        sns.confirm_subscription(TopicArn=topic, Token="wrong")
    assert sns.confirm_subscription(TopicArn=topic, Token=arn.rpartition(":")[2])["SubscriptionArn"] == arn
    assert states() == ("false", [arn], "0")
    assert sns.subscribe(**address)["SubscriptionArn"] == arn
    sns.unsubscribe(SubscriptionArn=arn)


def test_a_queue_needs_no_confirmation(client: Clients):
    sns = client("sns")
    topic = sns.create_topic(Name="to-queue")["TopicArn"]
    queue = "arn:aws:sqs:us-east-1:123456789012:queue"
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false"
