"""Secrets Manager entries by name. Values never pass through code, configuration or state.

The owner of a value sets it with `put-secret-value`; pods read it with their role. Stateful: callers decide `protect`.
"""

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, deny_insecure_transport, document
from components.naming import check_prefix, check_unique, slug

SECRET_NAME = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*")
GENERATED_ENDING = re.compile(r"-[A-Za-z0-9]{6}")


@dataclass(frozen=True, kw_only=True)
class SecretHandle:
    name: pulumi.Output[str]
    arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    account: Account
    prefix: str
    names: tuple[str, ...]
    key_arn: pulumi.Input[str]
    recovery_window_days: int = 30

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        check_unique("names", self.names)
        if self.recovery_window_days != 0 and not 7 <= self.recovery_window_days <= 30:
            raise ValueError(
                f"recovery_window_days must be 7 to 30, or 0 to delete at once, got {self.recovery_window_days}"
            )
        for name in self.names:
            if not SECRET_NAME.fullmatch(name):
                raise ValueError(
                    f"names: {name!r} is not a secret name: use lower-case letters and digits, "
                    f"joined by single '.', '_', '-' or '/', such as 'mlflow/admin'"
                )
            if GENERATED_ENDING.fullmatch(name[-7:]):
                raise ValueError(
                    f"names: {name!r} ends with a dash and six characters, which Secrets Manager confuses with the "
                    f"ending that it adds to ARNs: choose another name"
                )


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
        for entry in args.names:
            logical = f"{name}-{slug(entry)}"
            secret = aws.secretsmanager.Secret(
                logical,
                name=f"{args.prefix}/{entry}",
                description=f"{entry}: the value is put by its owner, never by the program",
                kms_key_id=args.key_arn,
                recovery_window_in_days=args.recovery_window_days,
                opts=child,
            )
            aws.secretsmanager.SecretPolicy(
                f"{logical}-policy",
                secret_arn=secret.arn,
                policy=pulumi.Output.all(args.account.scope, secret.arn).apply(lambda known: secret_policy(*known)),
                block_public_policy=True,
                opts=child,
            )
            self.secrets[entry] = SecretHandle(name=secret.name, arn=secret.arn)
        self.register_outputs({"arns": {key: handle.arn for key, handle in self.secrets.items()}})
