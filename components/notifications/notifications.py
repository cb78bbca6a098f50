"""SNS topic for budgets, alarms and events of an environment, with its e-mail subscriptions."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, deny_insecure_transport, document
from components.naming import slug
from components.notifications.spec import NotificationSpec

PUBLISHERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com")


@dataclass(frozen=True, kw_only=True)
class NotificationsArgs:
    """Arguments of the notifications.

    Attributes:
        spec: Section `notifications` of the stack file.
        account: Account whose services publish to the topic.
        key_arn: KMS key that encrypts the topic.
    """

    spec: NotificationSpec
    account: Account
    key_arn: pulumi.Input[str]


def topic_policy(scope: Scope, topic_arn: str) -> str:
    return document(
        [
            Statement(
                sid="PublishFromThisAccount",
                principals={"Service": PUBLISHERS},
                actions=["sns:Publish"],
                resources=[topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": scope.account_id}},
            ),
            deny_insecure_transport("DenyInsecureTransport", ["sns:Publish"], [topic_arn]),
        ]
    )


class Notifications(pulumi.ComponentResource):
    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: NotificationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Notifications", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(f"{name}-topic", kms_master_key_id=args.key_arn, tags={"Name": name}, opts=child)
        aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(args.account.scope, topic.arn).apply(lambda known: topic_policy(*known)),
            opts=child,
        )
        for email in args.spec.emails:
            aws.sns.TopicSubscription(
                f"{name}-email-{slug(email)}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=child,
            )
        self.topic_arn = topic.arn
        self.register_outputs({})
