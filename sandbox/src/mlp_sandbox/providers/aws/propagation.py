"""Retries of errors that pass by themselves, because a role or bucket is still too new.

Only errors that the upstream provider retries are retried here. An error that upstream passes on to the user would also
be one on AWS. https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service
"""

from collections.abc import Mapping, Sequence
from typing import Any

WAITED_SECONDS = 120.0
"""Limit of each call: `propagationTimeout` of the packages s3, kms, iam, secretsmanager and eks in that repository."""
PAUSE_SECONDS = 0.5

# By service and operation: the error's code, and a part of its message.
REFUSALS: Mapping[tuple[str, str], Sequence[tuple[str, str]]] = {
    ("s3", "PutBucketPolicy"): (("MalformedPolicy", ""),),
    ("kms", "CreateKey"): (("MalformedPolicyDocumentException", ""),),
    ("kms", "PutKeyPolicy"): (("MalformedPolicyDocumentException", ""),),
    ("iam", "CreateRole"): (("MalformedPolicyDocument", "Invalid principal in policy"),),
    ("iam", "UpdateAssumeRolePolicy"): (("MalformedPolicyDocument", "Invalid principal in policy"),),
    ("secretsmanager", "PutResourcePolicy"): (("MalformedPolicyDocumentException", "an unsupported principal"),),
    ("eks", "CreateAccessEntry"): (("InvalidParameterException", "principalArn is invalid: invalid principal"),),
    ("eks", "CreatePodIdentityAssociation"): (("InvalidParameterException", "in the request does not exist"),),
    ("eks", "UpdatePodIdentityAssociation"): (("InvalidParameterException", "in the request does not exist"),),
    ("eks", "CreateAddon"): (("InvalidParameterException", "does not exist"),),
}


def wait_for_propagation(client: Any, service: str) -> None:
    """Make a boto3 client of a service retry errors that pass by themselves."""
    if any(known == service for known, _ in REFUSALS):
        client.meta.events.register(f"needs-retry.{client.meta.service_model.service_id.hyphenize()}", _again)


def _again(*, attempts: int, response: tuple[Any, dict[str, Any]] | None, operation: Any, **_: Any) -> float | None:
    """Return the seconds until the next try, or None when the answer is final."""
    if response is None or attempts * PAUSE_SECONDS > WAITED_SECONDS:
        return None
    error: dict[str, Any] = response[1].get("Error") or {}
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    passing = REFUSALS.get((operation.service_model.service_name, operation.name), ())
    return PAUSE_SECONDS if any(code == known and part in message for known, part in passing) else None
