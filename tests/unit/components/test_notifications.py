"""The notification topic: encrypted, and only services of this account may publish."""

from typing import Any

import pytest

from components.notifications import Notifications, NotificationsArgs, topic_policy
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, SCOPE, statements

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


def notifications(deploy: Deploy, *emails: str) -> tuple[Notifications, RecordingCloud]:
    return deploy(lambda: Notifications("alerts", NotificationsArgs(account=ACCOUNT, key_arn=KEY, emails=emails)))


def test_the_topic_is_encrypted_and_has_its_policy(deploy: Deploy):
    _, cloud = notifications(deploy)
    [topic] = cloud.of_type("aws:sns/topic:Topic")
    assert topic.inputs["kmsMasterKeyId"] == KEY
    [policy] = cloud.of_type("aws:sns/topicPolicy:TopicPolicy")
    assert policy.inputs["policy"] == topic_policy(SCOPE, policy.inputs["arn"])


def test_each_reader_gets_one_subscription_whose_name_does_not_depend_on_the_order(deploy: Deploy):
    _, cloud = notifications(deploy, "b@example.com", "A@example.com")
    subscriptions = cloud.of_type("aws:sns/topicSubscription:TopicSubscription")
    assert {(item.name, item.inputs["protocol"], item.inputs["endpoint"]) for item in subscriptions} == {
        ("alerts-email-b-example-com", "email", "b@example.com"),
        ("alerts-email-a-example-com", "email", "A@example.com"),
    }


def test_services_publish_for_this_account_only_and_nobody_over_http():
    policy = statements(topic_policy(SCOPE, TOPIC))
    publish = policy["PublishFromThisAccount"]
    assert publish["Principal"] == {
        "Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"]
    }
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert policy["DenyInsecureTransport"]["Effect"] == "Deny"


@pytest.mark.parametrize(
    ("emails", "message"),
    [
        (("nobody",), "emails: 'nobody' is not an e-mail address"),
        (("a b@example.com",), "is not an e-mail address"),
        (("a@example.com", "A@example.com"), "'a@example.com' and 'A@example.com' differ in punctuation or case only"),
        (("a@example.com", "a@example.com"), "emails names a@example.com more than once"),
    ],
)
def test_bad_addresses_are_refused(emails: tuple[str, ...], message: str):
    arguments: dict[str, Any] = {"account": ACCOUNT, "key_arn": KEY, "emails": emails}
    with pytest.raises(ValueError, match=message):
        NotificationsArgs(**arguments)
