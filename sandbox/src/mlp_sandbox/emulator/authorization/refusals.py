"""AWS's replies to denied requests: the code, status and message of each service.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.evaluation import Caller, Decision
from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.identify import Identity

_JSON = ("json", "smithy-rpc-v2-cbor")
_CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError", "s3": "AccessDenied", "sqs": "AccessDenied"}


def denied(identity: Identity, caller: Caller, access: Access, decision: Decision) -> Fault:
    """Return the fault that denies one permission, in the wording of the service."""
    resource = f'"{access.resource}"' if identity.service == "s3" else access.resource
    who = "Anonymous" if caller.kind == "anonymous" else caller.arn
    message = f"User: {who} is not authorized to perform: {access.action} on resource: {resource}"
    if decision.reason:
        message = f"{message} {decision.reason}"
    if identity.service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return Fault(denied_code(identity), message, denied_status(identity))


def denied_code(identity: Identity) -> str:
    """Return the error code of a denial."""
    if identity.service in _CODES:
        return _CODES[identity.service]
    return "AccessDenied" if identity.protocol in {"query", "rest-xml"} else "AccessDeniedException"


def denied_status(identity: Identity) -> int:
    """Return the status of a denial: 400 for services that speak JSON, else 403.

    Services that speak JSON answer every client fault with 400.
    """
    return 400 if identity.protocol in _JSON else 403


def expired_token(identity: Identity) -> Fault:
    """Return the fault for an expired session."""
    if identity.service == "s3":
        return Fault("ExpiredToken", "The provided token has expired.", 400)
    if identity.service == "ec2":
        return Fault("RequestExpired", "Request has expired.", 400)
    message = "The security token included in the request is expired"
    if identity.protocol == "query":
        return Fault("ExpiredToken", message, 403)
    return Fault("ExpiredTokenException", message, denied_status(identity))


def invalid_token(identity: Identity) -> Fault:
    """Return the fault for credentials that belong to no session and no active access key of the account."""
    if identity.service == "s3":
        return Fault("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    if identity.service == "ec2":
        return Fault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    message = "The security token included in the request is invalid"
    if identity.protocol == "query":
        return Fault("InvalidClientTokenId", message + ".", 403)
    return Fault("UnrecognizedClientException", message + ".", denied_status(identity))
