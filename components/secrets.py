"""Secrets Manager entries by name. Values never pass through code, configuration or state.

The owner of a value sets it with `put-secret-value`; pods read it with their role. Stateful: callers decide `protect`.
`SecretSpec` is the section `secrets` of a stack file. Other layers build one for the secrets that they declare.
"""

import re
from dataclasses import dataclass
from typing import Annotated

import pulumi
import pulumi_aws as aws
from pydantic import AfterValidator, Strict

from components.account import Account
from components.iam_documents import Scope, Statement, deny_insecure_transport, document
from components.naming import check_prefix, distinct_slugs, slug
from validation.base import Allowed, Section, unique


def secret_name(text: str) -> str:
    """Raise ValueError for invalid names.

    Secrets Manager takes a name that ends in a dash and six characters for a partial ARN.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*([/-][a-z0-9]+)*", text) or len(text) > 200:
        raise ValueError("write lower-case letters and digits, in words joined by - or /")
    if re.search(r"-[a-z0-9]{6}$", text):
        raise ValueError("do not end in a dash and six characters, Secrets Manager mistakes that for part of an ARN")
    return text


def recovery_window(days: int) -> int:
    """Raise ValueError for invalid recovery windows.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    if days != 0 and not 7 <= days <= 30:
        raise ValueError("write 0 (deleted at once) or 7 to 30")
    return days


SecretNames = Annotated[
    tuple[Annotated[str, AfterValidator(secret_name), Allowed("secret name")], ...],
    Strict(False),
    AfterValidator(unique),
    AfterValidator(distinct_slugs),
]


class SecretSpec(Section):
    names: SecretNames = ()
    """Secrets of the environment, without its prefix."""
    recovery_window_days: Annotated[int, AfterValidator(recovery_window), Allowed("0 or 7 to 30")] = 30
    """Days in which a deleted secret can be restored; 0 deletes at once, so that its name is available again."""


@dataclass(frozen=True, kw_only=True)
class SecretHandle:
    arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    spec: SecretSpec
    account: Account
    prefix: str
    key_arn: pulumi.Input[str]

    def __post_init__(self) -> None:
        check_prefix(self.prefix)


def secret_policy(scope: Scope, secret_arn: str) -> str:
    """Return the resource policy of a secret. It contains only denials; IAM policies grant read access.

    AWS services that act on our behalf do not count as other accounts.
    """
    return document(
        [
            deny_insecure_transport("DenyInsecureTransport", ["secretsmanager:*"], [secret_arn]),
            Statement(
                sid="DenyOtherAccounts",
                effect="Deny",
                principals="*",
                actions=["secretsmanager:*"],
                resources=[secret_arn],
                conditions={
                    "Bool": {"aws:PrincipalIsAWSService": "false"},
                    "StringNotEquals": {"aws:PrincipalAccount": scope.account_id},
                },
            ),
        ]
    )


class Secrets(pulumi.ComponentResource):
    secrets: dict[str, SecretHandle]

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Secrets", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.secrets = {}
        for entry in args.spec.names:
            logical = f"{name}-{slug(entry)}"
            secret = aws.secretsmanager.Secret(
                logical,
                name=f"{args.prefix}/{entry}",
                description=f"{entry}: the value is put by its owner, never by the program",
                kms_key_id=args.key_arn,
                recovery_window_in_days=args.spec.recovery_window_days,
                opts=child,
            )
            aws.secretsmanager.SecretPolicy(
                f"{logical}-policy",
                secret_arn=secret.arn,
                policy=pulumi.Output.all(args.account.scope, secret.arn).apply(lambda known: secret_policy(*known)),
                block_public_policy=True,
                opts=child,
            )
            self.secrets[entry] = SecretHandle(arn=secret.arn)
        self.register_outputs({})
