"""EKS: trust checks for the roles of clusters, node groups and associations."""

from collections.abc import Mapping, Sequence

from mlp_sandbox.emulator.authorization.conditions import lookup_in
from mlp_sandbox.emulator.authorization.documents import Access, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, ResourcePolicy, evaluate
from mlp_sandbox.emulator.authorization.sessions import role_by_arn

PODS = "pods.eks.amazonaws.com"
"""The service principal of EKS Pod Identity: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html."""


def trusts(role_arn: str, service: str, actions: Sequence[str], keys: Mapping[str, str]) -> bool:
    """Return whether the role exists and trusts the service.

    Args:
        role_arn: The role.
        service: The service principal.
        actions: Actions that the trust policy must allow, all of them.
        keys: Context keys of the call, by name.
    """
    role, account = role_by_arn(role_arn), role_arn.split(":")[4]
    if role is None:
        return False
    policy = ResourcePolicy(document=parse(role.assume_role_policy_document), account=account)
    caller = Caller(kind="service", arn=service, account=account)
    lookup = lookup_in({name: [value] for name, value in keys.items()})
    return all(evaluate(caller, Access(action=action, resource=role_arn), lookup, policy).allowed for action in actions)
