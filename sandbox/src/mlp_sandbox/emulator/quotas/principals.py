"""Checks that the roles and users named in a request exist: in resource policies, trust policies, access entries."""

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.named_principals import missing, named
from mlp_sandbox.emulator.quotas.registry import Asked, checks
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER

_INVALID_IN_POLICY = {
    "s3": ("MalformedPolicy", "Invalid principal in policy"),
    "kms": ("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."),
    "secretsmanager": ("MalformedPolicyDocumentException", "This resource policy contains an unsupported principal."),
}


@checks("iam", "CreateRole", "UpdateAssumeRolePolicy")
def in_trust(asked: Asked) -> None:
    """Reject a trust policy that names a principal that does not exist, as IAM does."""
    document = asked.params.get("AssumeRolePolicyDocument") or asked.params.get("PolicyDocument")
    for arn in _unknown(asked, document):
        raise Fault("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"')


@checks("s3", "PutBucketPolicy")
@checks("kms", "CreateKey", "PutKeyPolicy")
@checks("secretsmanager", "PutResourcePolicy")
def in_resource_policy(asked: Asked) -> None:
    """Reject a resource policy that names a principal that does not exist."""
    document = asked.params.get("Policy") or asked.params.get("ResourcePolicy")
    for _ in _unknown(asked, document):
        raise Fault(*_INVALID_IN_POLICY[asked.identity.service])


@checks("eks", "CreateAccessEntry")
def of_access_entry(asked: Asked) -> None:
    """Reject an entry for a principal that does not exist.

    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
    """
    if missing(str(asked.params["principalArn"]), asked.identity.account):
        raise Fault(INVALID_PARAMETER, "The specified principalArn is invalid: invalid principal.")


@checks("eks", "CreatePodIdentityAssociation", "UpdatePodIdentityAssociation", "CreateAddon", "UpdateAddon")
def of_association(asked: Asked) -> None:
    """Reject a pod role that does not exist, or that is too new to be visible to EKS."""
    wanted = [asked.params, *(asked.params.get("podIdentityAssociations") or [])]
    for arn in (str(each["roleArn"]) for each in wanted if each.get("roleArn")):
        if missing(arn, asked.identity.account):
            raise Fault(INVALID_PARAMETER, f"Role provided in the request does not exist: {arn}")


def _unknown(asked: Asked, document: object) -> list[str]:
    return [arn for arn in named(str(document or "")) if missing(arn, asked.identity.account)]
