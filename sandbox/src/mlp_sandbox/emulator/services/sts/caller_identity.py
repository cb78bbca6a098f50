"""STS: the identity of the account's administrator. moto returns a user `moto` with an ARN that no IAM user has."""

from mlp_sandbox.emulator.authorization.callers import session_of
from mlp_sandbox.emulator.principals import administrator_arn, user_of
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends("sts", "GetCallerIdentity")
def caller_identity(call: Call) -> Result:
    """Return the caller. moto answers for sessions and users; every other key belongs to the administrator."""
    account, key = call.identity.account, call.identity.access_key
    if session_of(account, key) is not None or user_of(account, key) is not None:
        return call.proceed()
    return {"UserId": "AIDAADMINISTRATOR0001", "Account": account, "Arn": administrator_arn(account)}
