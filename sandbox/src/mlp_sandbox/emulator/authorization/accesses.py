"""The permissions that an operation needs, and the resources they apply to.

They consist of the permissions of the operation's own service and of those that accompany them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from mlp_sandbox.emulator.authorization import services
from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.ec2 import ec2
from mlp_sandbox.emulator.authorization.eks import eks
from mlp_sandbox.emulator.authorization.encryption import implied, kms
from mlp_sandbox.emulator.authorization.facts import kinds_of
from mlp_sandbox.emulator.authorization.names import IAM_TAGGING, TAGGING
from mlp_sandbox.emulator.authorization.passing import passed_roles
from mlp_sandbox.emulator.authorization.published import generic
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.authorization.s3 import s3

Derivation: TypeAlias = Callable[[AuthorizationRequest], Iterator[Access]]

_DERIVATIONS: Mapping[str, Derivation] = {
    "autoscaling": services.autoscaling,
    "dynamodb": services.dynamodb,
    "ec2": ec2,
    "eks": eks,
    "iam": services.iam,
    "kms": kms,
    "lambda": services.lambda_,
    "logs": services.logs,
    "rds": services.rds,
    "s3": s3,
    "secretsmanager": services.secretsmanager,
    "sns": services.sns,
    "sqs": services.sqs,
    "ssm": services.ssm,
    "sts": services.sts,
}
_TAGS = frozenset({"tags", "tag", "resourcetags"})


def accesses(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield every permission that the caller must have for the operation."""
    yield from _DERIVATIONS.get(ask.prefix, generic)(ask)
    yield from _tagged_on_creation(ask)
    yield from passed_roles(ask)
    yield from implied(ask)


def _tagged_on_creation(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permission to tag the created resources, which a request with tags needs too."""
    operation = ask.identity.operation
    if not operation.startswith("Create") and (ask.prefix, operation) != ("ssm", "PutParameter"):
        return
    action = IAM_TAGGING.get(operation) if ask.prefix == "iam" else TAGGING.get(ask.prefix)
    tags = any(bool(value) for name, value in ask.params.items() if name.lower() in _TAGS)
    if action is None or action == ask.action or not tags:
        return
    if ask.prefix == "kms":
        yield Access(action=action, resource=ask.arn("key/*"))
        return
    for resource in _created(ask):
        yield Access(action=action, resource=resource)


def _created(ask: AuthorizationRequest) -> list[str]:
    """Return the ARNs of the resources that a request creates, without those that it only uses.

    A created resource is of the kind that the operation is named after, or of a kind that AWS requires for the action.
    """
    own = [access.resource for access in _DERIVATIONS.get(ask.prefix, generic)(ask) if access.action == ask.action]
    kinds = [kind for kind in kinds_of(ask.action) if kind.required]
    wanted = ask.identity.operation.removeprefix("Create").lower()
    named = [kind for kind in kinds if kind.name.replace("-", "").lower() == wanted]
    created = [arn for arn in own if any(kind.describes(arn) for kind in named or kinds)]
    return created or own[:1]
