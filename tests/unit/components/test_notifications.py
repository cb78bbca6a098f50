"""The notification topic: encrypted, and only services of this account may publish."""

import pytest

from components.notifications.notifications import Notifications, NotificationsArgs, topic_policy
from components.notifications.spec import NotificationSpec
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, SCOPE, statements
from .refusals import refusals

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


def notifications(deploy: Deploy, *emails: str) -> tuple[Notifications, RecordingCloud]:
    args = NotificationsArgs(spec=NotificationSpec(emails=emails), account=ACCOUNT, key_arn=KEY)
    return deploy(lambda: Notifications("alerts", args))


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
        (["nobody"], 'emails[0]: got "nobody"; write an e-mail address'),
        (["a b@example.com"], 'emails[0]: got "a b@example.com"; write an e-mail address'),
        (
            ["a@example.com", "A@example.com"],
            "remove a@example.com or A@example.com, they differ in punctuation or case only",
        ),
        (
            ["a.b@example.com", "a-b@example.com"],
            "remove a.b@example.com or a-b@example.com, they differ in punctuation or case only",
        ),
        (["a@example.com", "a@example.com"], "remove the repetition of a@example.com"),
    ],
)
def test_bad_addresses_are_refused(emails: list[str], message: str):
    [line] = refusals(NotificationSpec, {"emails": emails})
    assert line.startswith("emails")
    assert message in line
