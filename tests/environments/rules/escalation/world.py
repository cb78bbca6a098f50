"""Model of an account: the roles of one environment with all their policies, and resources of others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from mlp.recording import ACCOUNT, PROJECT
from mlp_sandbox.emulator.authorization.documents import Document, parse
from tests.contract.arns import arn_of, name_of, realistic
from tests.contract.programs import Program

AWS_POLICIES: Mapping[str, Any] = json.loads(aws_managed_policies_data)
ROLE, INLINE, MANAGED = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


@dataclass(frozen=True)
class Principal:
    """A role: its policies, its boundary (None if it has none), and its trust policy."""

    name: str
    arn: str
    policies: tuple[Document, ...]
    boundary: Document | None
    trust: Mapping[str, Any]
    uses_aws_policies: bool = False

    @property
    def bounded(self) -> bool:
        return self.boundary is not None


@dataclass(frozen=True)
class Thing:
    """A resource that a call may target. `facts` are the context keys that AWS knows about it."""

    arn: str
    what: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class World:
    stack: str
    principals: Mapping[str, Principal]
    boundary_arn: str
    state_bucket: str
    state_alias: str
    things: Mapping[str, Sequence[Thing]]

    @property
    def prefix(self) -> str:
        return f"{PROJECT}-{self.stack}"

    def with_principal(self, principal: Principal) -> "World":
        return replace(self, principals={**self.principals, principal.name: principal})


def world(environment: Program) -> World:
    stack, identities = environment.stack, environment.settings.identities
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-{stack}-boundary"
    made = World(
        stack,
        _principals(environment),
        boundary,
        identities.state_bucket,
        identities.state_key_alias,
        _things(environment),
    )
    assert any(each.bounded for each in made.principals.values()), "no role has a boundary"
    return made


def _principals(environment: Program) -> dict[str, Principal]:
    stack = environment.stack
    managed = {
        arn_of(stack, each): parse(realistic(environment, each.inputs["policy"]))
        for each in environment.of_type(MANAGED)
    }
    found: dict[str, Principal] = {}
    for role in environment.of_type(ROLE):
        keys = {f"{role.name}-id", name_of(stack, role), role.name}
        inline = [each for each in environment.of_type(INLINE) if each.inputs["role"] in keys]
        attached = [
            realistic(environment, each.inputs["policyArn"])
            for each in environment.of_type(ATTACHED)
            if each.inputs["role"] in keys
        ]
        boundary = role.inputs.get("permissionsBoundary")
        found[role.name] = Principal(
            role.name,
            arn_of(stack, role),
            (
                *(parse(realistic(environment, each.inputs["policy"])) for each in inline),
                *(managed.get(arn) or _of_aws(arn) for arn in attached),
            ),
            managed[realistic(environment, boundary)] if boundary else None,
            json.loads(realistic(environment, role.inputs["assumeRolePolicy"])),
            any(arn not in managed for arn in attached),
        )
    return found


def _of_aws(arn: str) -> Document:
    return parse(json.dumps(AWS_POLICIES[arn.rpartition("/")[2]]["Document"]))


def _things(environment: Program) -> dict[str, list[Thing]]:
    """Return resources by kind.

    Foreign ones belong to another environment of the same account, or to other users of it.
    """
    stack, identities = environment.stack, environment.settings.identities
    other = f"{PROJECT}-{'prod' if stack == 'dev' else 'dev'}"
    own_tags = {"aws:resourcetag/project": PROJECT, "aws:resourcetag/environment": stack}
    other_tags = {**own_tags, "aws:resourcetag/environment": other.removeprefix(f"{PROJECT}-")}
    iam, ec2 = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:ec2:us-east-1:{ACCOUNT}"
    kms, secrets = f"arn:aws:kms:us-east-1:{ACCOUNT}", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret"
    other_vpc = {"ec2:vpc": f"{ec2}:vpc/vpc-other"}
    own = {
        kind: [Thing(arn_of(stack, each), f"own {each.name}", own_tags) for each in environment.of_type(token)]
        for kind, token in (
            ("bucket", "aws:s3/bucket:Bucket"),
            ("secret", "aws:secretsmanager/secret:Secret"),
            ("key", "aws:kms/key:Key"),
        )
    }
    database = f"arn:aws:rds:us-east-1:{ACCOUNT}:db"
    owner = "aws:resourcetag/aws:rds:primarydbinstancearn"
    return {
        "bucket": own["bucket"],
        "secret": [
            *own["secret"],
            Thing(
                f"{secrets}:rds!db-own-AbCdEf", "the database's password", {owner: f"{database}:{PROJECT}-{stack}-x"}
            ),
        ],
        "key": own["key"],
        "foreign bucket": [
            Thing(f"arn:aws:s3:::{other}-data-lake", "another environment's"),
            Thing("arn:aws:s3:::hr", ""),
        ],
        "state bucket": [Thing(f"arn:aws:s3:::{identities.state_bucket}", "the state's")],
        "foreign secret": [
            Thing(f"{secrets}:{other}/mlflow/admin-AbCdEf", "another environment's", other_tags),
            Thing(f"{secrets}:payroll-AbCdEf", "somebody's"),
            Thing(f"{secrets}:rds!db-other-AbCdEf", "another database's password", {owner: f"{database}:payroll"}),
        ],
        "foreign key": [
            Thing(f"{kms}:key/other", "another environment's", other_tags),
            Thing(f"{kms}:key/untagged", "somebody's without tags"),
        ],
        "state key": [
            Thing(f"{kms}:key/state", "the state's", {"kms:resourcealiases": identities.state_key_alias}),
            Thing(f"{kms}:key/state2", "another state's", {"kms:resourcealiases": f"alias/{other}-state"}),
        ],
        "foreign role": [
            Thing(f"{iam}:role/administrator", "the account's administrator"),
            Thing(f"{iam}:role/{other}-ci-deploy", "another environment's deploy role"),
            Thing(f"{iam}:role/{PROJECT}-{stack}-legacy", "a role without boundary of the same prefix"),
        ],
        "new role": [Thing(f"{iam}:role/{PROJECT}-{stack}-new", "a new role"), Thing(f"{iam}:role/new", "a new role")],
        "policy": [
            Thing(f"{iam}:policy/{PROJECT}-{stack}-boundary", "the boundary"),
            Thing(f"{iam}:policy/{PROJECT}-{stack}-ci-deploy-limits", "a policy of CI"),
            Thing(f"{iam}:policy/{PROJECT}-{stack}-new", "a new policy"),
        ],
        "user": [Thing(f"{iam}:user/somebody", "a user")],
        "group": [Thing(f"{iam}:group/administrators", "a group")],
        "provider": [
            Thing(f"{iam}:oidc-provider/token.actions.githubusercontent.com", "GitHub"),
            Thing(f"{iam}:saml-provider/people", "the people's directory"),
        ],
        "foreign security group": [
            Thing(f"{ec2}:security-group/sg-other", "another environment's", {**other_tags, **other_vpc}),
            Thing(f"{ec2}:security-group/sg-default", "one without tags", other_vpc),
        ],
        "foreign subnet": [Thing(f"{ec2}:subnet/subnet-other", "another environment's", {**other_tags, **other_vpc})],
        "foreign reservation": [Thing(f"{ec2}:capacity-reservation/cr-other", "somebody's reservation")],
        "database": [Thing(f"{database}:{PROJECT}-{stack}-mlflow", "the database", own_tags)],
        "repository": [
            Thing(f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{PROJECT}-{stack}/mlflow", "MLflow's images", own_tags)
        ],
        "foreign repository": [
            Thing(f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{other}/mlflow", "another environment's", other_tags),
            Thing(f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/payroll", "somebody's"),
        ],
        "foreign network": [Thing(f"{ec2}:vpc/vpc-other", "another environment's", other_tags)],
        "foreign interface": [
            Thing(f"{ec2}:network-interface/eni-other", "another environment's", {**other_tags, **other_vpc})
        ],
        "foreign volume": [Thing(f"{ec2}:volume/vol-other", "another environment's", other_tags)],
        "instance": [
            Thing(f"{ec2}:instance/i-own", "a node", own_tags),
            Thing(f"{ec2}:instance/i-other", "somebody's instance"),
        ],
        "cluster": [Thing(f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{PROJECT}-{stack}-eks", "own")],
        "foreign cluster": [Thing(f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{other}-eks", "another environment's")],
        "anything": [Thing("*", "anything")],
    }
