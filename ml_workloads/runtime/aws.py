"""AWS calls with retries for a service that does not answer. Errors name the service.

Under EKS Pod Identity the credentials come over HTTP from an agent on the node. botocore makes three requests with a
timeout of two seconds each, and then fails; a busy node needs longer.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ResponseStreamingError,
)
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from ml_workloads.runtime.errors import PlatformError

LOG = logging.getLogger(__name__)
T = TypeVar("T")
_CONFIG: Final = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 4})
_SERVER_ERROR, _TOO_MANY_REQUESTS = 500, 429
PASSING_CODES: Final = frozenset(
    {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"}
    | {"InternalError", "InternalFailure", "InternalServiceError", "ServiceUnavailable", "RequestTimeout"}
    | {"RequestTimeTooSkewed", "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
    | {"InvalidClientTokenId", "UnrecognizedClientException", "KMSInternalException", "DependencyTimeoutException"}
)
"""Error codes of failures that are not caused by the request itself.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

_PASSING_ERRORS: Final = (
    *(CredentialRetrievalError, MetadataRetrievalError, HTTPClientError, ResponseStreamingError, IncompleteReadError),
    *(FlexibleChecksumError, ConnectionError, OSError),
)
_NO_CREDENTIALS: Final = (NoCredentialsError, PartialCredentialsError)


def client(service: str) -> Any:
    """Return boto3's client of a service.

    The function reads the credentials, so it can fail like a call: use `patiently`.
    """
    return cast("Any", boto3).client(service, config=_CONFIG)


def is_passing(error: BaseException) -> bool:
    """Return whether a retry may succeed: no answer, no credentials yet, too many requests, or a server error."""
    if isinstance(error, ClientError):
        status = int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS or error_code(error) in PASSING_CODES
    return isinstance(error, _PASSING_ERRORS)


def _response(error: ClientError) -> Any:
    return cast("Any", error).response


def error_code(error: ClientError) -> str:
    """Return AWS's error code, such as `NoSuchKey`."""
    return str(_response(error).get("Error", {}).get("Code", "unknown error"))


def said(error: BaseException) -> str:
    """Return an error message as one line of at most 300 characters."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def patiently(what: str, call: Callable[[], T], *, seconds: float) -> T:
    """Retry a call until it succeeds, for at most `seconds` after the first attempt.

    Args:
        what: description of the call for log and error, such as `read s3://lake/a.csv`.
        call: the call. It creates its client itself, because the credentials may be missing.
        seconds: 0 means one attempt.

    Returns:
        The result of the call.

    Raises:
        PlatformError: the call did not succeed in that time, or there are no credentials.
        ClientError, BotoCoreError: AWS rejected the request itself.
    """

    def told(state: RetryCallState) -> None:
        if state.outcome and (error := state.outcome.exception()):
            LOG.warning("cannot %s yet, trying again: %s", what, said(error))

    attempts = Retrying(
        retry=retry_if_exception(is_passing),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(max=15),
        before_sleep=told,
        reraise=True,
    )
    try:
        return attempts(call)
    except _NO_CREDENTIALS as error:
        raise PlatformError(
            f"cannot {what}: {said(error)}; a pod gets its credentials from EKS Pod Identity when it starts"
        ) from error
    except Exception as error:
        if not is_passing(error):
            raise
        raise PlatformError(f"could not {what} within {seconds:.0f} s: {said(error)}") from error


def secret(name: str, *, seconds: float) -> str:
    """Return the text of a secret in Secrets Manager.

    Raises:
        PlatformError: Secrets Manager did not answer in that time, or there are no credentials; see `patiently`.
        ClientError, BotoCoreError: there is no such secret, or the role may not read it.
    """
    found = patiently(
        f"read the secret {name}", lambda: client("secretsmanager").get_secret_value(SecretId=name), seconds=seconds
    )
    return str(found.get("SecretString", ""))


REFUSALS: Final = (ClientError, BotoCoreError)
"""Errors with which AWS or its client rejects the request itself."""
