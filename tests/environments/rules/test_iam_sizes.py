"""Policies of every environment fit the quotas of IAM and of services with resource policies, with room to spare."""

from collections import defaultdict

from mlp_sandbox.emulator.quotas.iam import ATTACHED, INLINE, MANAGED, TRUST, size
from mlp_sandbox.emulator.quotas.names import BUCKET_POLICY_BYTES, KEY_POLICY_BYTES
from tests.contract.programs import Program


def test_inline_policies_of_each_role_fit_together(environment: Program):
    total: dict[str, int] = defaultdict(int)
    for policy in environment.of_type("aws:iam/rolePolicy:RolePolicy"):
        total[str(policy.inputs["role"])] += size(policy.inputs["policy"])
    largest = max(total, key=lambda role: total[role])
    assert total[largest] <= INLINE["role"], f"{largest}: {total[largest]}"


def test_managed_and_trust_policies_and_their_number_fit(environment: Program):
    for policy in environment.of_type("aws:iam/policy:Policy"):
        assert size(policy.inputs["policy"]) <= MANAGED, policy.name
    attached: dict[str, int] = defaultdict(int)
    for attachment in environment.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        attached[str(attachment.inputs["role"])] += 1
    assert max(attached.values(), default=0) <= ATTACHED, attached
    for role in environment.of_type("aws:iam/role:Role"):
        assert size(role.inputs["assumeRolePolicy"]) <= TRUST, role.name


def test_policies_of_keys_and_buckets_fit(environment: Program):
    for token, most in (
        ("aws:kms/key:Key", KEY_POLICY_BYTES),
        ("aws:s3/bucketPolicy:BucketPolicy", BUCKET_POLICY_BYTES),
    ):
        found = environment.of_type(token)
        assert found, token
        for resource in found:
            assert len(str(resource.inputs.get("policy") or "").encode()) <= most, resource.name
