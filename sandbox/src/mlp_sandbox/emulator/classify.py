"""Classification of requests: those that change state belong in the journal.

A read mistaken for a write only costs disk space. A write mistaken for a read is lost by a restart. So an operation
counts as a write unless it is certain that it reads.
"""

from mlp_sandbox.emulator.identify import Identity

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_READING_PREFIXES = (
    "BatchCheck",
    "BatchDescribe",
    "BatchGet",
    "Check",
    "Describe",
    "Estimate",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "TransactGet",
    "Validate",
)
# Named like reads, but they issue something that must still be valid after a restart.
_WRITES = frozenset({("sts", "GetSessionToken"), ("sts", "GetFederationToken"), ("kinesis", "GetShardIterator")})
# Named like writes, but they only compute.
_READS = frozenset(
    ("kms", operation)
    for operation in (
        "Decrypt",
        "DeriveSharedSecret",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GenerateRandom",
        "ReEncrypt",
        "Sign",
        "Verify",
        "VerifyMac",
    )
) | {("sts", "DecodeAuthorizationMessage")}
# Apart from presigned forms and CORS, the HTTP method of these protocols shows whether a request writes.
_REST = frozenset({"rest-json", "rest-xml"})


def is_write(identity: Identity, method: str) -> bool:
    """Return whether the request may change the account's state."""
    name = (identity.service, identity.operation)
    if name in _WRITES:
        return True
    if name in _READS:
        return False
    if identity.protocol in _REST and method in READING_METHODS:
        return False
    return not identity.operation.startswith(_READING_PREFIXES)
