"""A catalogue of privilege escalations as IAM permissions, each with its gain and its target.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html and two public lists:
https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation and https://github.com/BishopFox/iam-vulnerable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlp.recording import ACCOUNT, PROJECT

# Kinds of things are those of `world`, and two kinds of roles of the environment: with boundary and without.
BOUNDED, UNBOUNDED = "role with boundary", "role without boundary"
DEPLOY, PUSH = frozenset({"identities-deploy"}), frozenset({"identities-push"})
CI = frozenset({"identities-preview", *DEPLOY, *PUSH})
ADMINISTRATOR = {"iam:policyarn": "arn:aws:iam::aws:policy/AdministratorAccess"}
WIDER = {"iam:permissionsboundary": f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-wide"}


@dataclass(frozen=True, kw_only=True)
class Move:
    """One escalation. `given` holds context keys that the caller chooses.

    `job_of` lists principals for which the actions are part of their job. `only_for` limits the danger to these
    principals, because for everybody else the rights to it are the purpose of a role.
    """

    wins: str
    actions: Sequence[str]
    on: Sequence[str]
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    job_of: frozenset[str] = frozenset()
    only_for: frozenset[str] = frozenset()
    suffix: str = ""


ROLES = (
    Move(
        wins="the rights of a role without boundary",
        actions=[
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:PutRolePermissionsBoundary",
        ],
        on=["foreign role", UNBOUNDED],
    ),
    Move(
        wins="the rights of a role without boundary",
        actions=["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        on=["foreign role", UNBOUNDED],
        given=ADMINISTRATOR,
    ),
    Move(wins="a role without boundary", actions=["iam:CreateRole"], on=["new role"]),
    Move(wins="a role with a wider boundary", actions=["iam:CreateRole"], on=["new role"], given=WIDER),
    Move(wins="a role without its boundary", actions=["iam:DeleteRolePermissionsBoundary"], on=[BOUNDED]),
    Move(wins="a wider boundary", actions=["iam:PutRolePermissionsBoundary"], on=[BOUNDED, UNBOUNDED], given=WIDER),
    Move(
        wins="what a policy grants to others",
        actions=["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion"],
        on=["policy"],
    ),
    Move(
        wins="a user",
        actions=[
            "iam:AttachUserPolicy",
            "iam:CreateAccessKey",
            "iam:CreateLoginProfile",
            "iam:CreateUser",
            "iam:DeleteUserPermissionsBoundary",
            "iam:PutUserPolicy",
            "iam:UpdateLoginProfile",
        ],
        on=["user"],
    ),
    Move(
        wins="the rights of a group",
        actions=["iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:PutGroupPolicy"],
        on=["group"],
    ),
    Move(
        wins="sessions of whoever it trusts",
        actions=[
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:CreateOpenIDConnectProvider",
            "iam:CreateSAMLProvider",
            "iam:UpdateOpenIDConnectProviderThumbprint",
            "iam:UpdateSAMLProvider",
        ],
        on=["provider"],
    ),
    Move(wins="a session of a role", actions=["sts:AssumeRole"], on=["foreign role", BOUNDED, UNBOUNDED]),
    Move(wins="a session of a user", actions=["sts:GetFederationToken"], on=["user", "anything"]),
    *(
        Move(
            wins=f"code that runs as a role, in {service}",
            actions=["iam:PassRole"],
            on=["foreign role", BOUNDED, UNBOUNDED],
            given={"iam:passedtoservice": f"{service}.amazonaws.com"},
        )
        for service in ("cloudformation", "codebuild", "ec2", "ecs-tasks", "glue", "lambda", "sagemaker", "states")
    ),
    *(
        Move(
            wins="somebody else's role, in a cluster",
            actions=["iam:PassRole"],
            on=["foreign role", BOUNDED, UNBOUNDED],
            given={"iam:passedtoservice": f"{service}.amazonaws.com"},
            # Its policy goes by the prefix; the trust of such a role decides whether EKS gets it.
            job_of=DEPLOY,
        )
        for service in ("eks", "pods.eks")
    ),
)

_HERE = f"us-east-1:{ACCOUNT}"
CODE = (
    Move(
        wins="code on an instance, with its role",
        actions=[
            "ec2:AssociateIamInstanceProfile",
            "ec2:ModifyInstanceAttribute",
            "ec2-instance-connect:SendSSHPublicKey",
            "ssm:SendCommand",
            "ssm:StartSession",
        ],
        on=["instance"],
    ),
    *(
        Move(wins="code that runs as another role", actions=[action], on=[f"arn:aws:{service}:{_HERE}:{name}"])
        for action, service, name in (
            ("cloudformation:UpdateStack", "cloudformation", "stack/x/1"),
            ("codebuild:StartBuild", "codebuild", "project/x"),
            ("ecs:ExecuteCommand", "ecs", "task/x/1"),
            ("glue:UpdateJob", "glue", "job/x"),
            ("lambda:AddPermission", "lambda", "function:x"),
            ("lambda:UpdateFunctionCode", "lambda", "function:x"),
            ("sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker", "notebook-instance/x"),
            ("states:UpdateStateMachine", "states", "stateMachine:x"),
        )
    ),
    Move(
        wins="an instance in another's network",
        actions=["ec2:RunInstances"],
        on=["foreign subnet", "foreign security group", "foreign interface", "foreign reservation"],
        given={"ec2:launchtemplate": f"arn:aws:ec2:{_HERE}:launch-template/lt-own"},
    ),
    Move(
        wins="a way into a cluster",
        actions=["eks:AssociateAccessPolicy", "eks:CreateAccessEntry", "eks:CreatePodIdentityAssociation"],
        on=["foreign cluster"],
    ),
    Move(
        wins="a way into the cluster",
        actions=["eks:CreateAccessEntry", "eks:CreatePodIdentityAssociation"],
        on=["cluster"],
        job_of=DEPLOY,
    ),
)

DATA = (
    Move(wins="secrets", actions=["secretsmanager:GetSecretValue"], on=["secret"], only_for=CI),
    Move(wins="another's secrets", actions=["secretsmanager:GetSecretValue"], on=["foreign secret"]),
    Move(wins="data", actions=["s3:GetObject", "s3:GetObjectVersion"], on=["bucket"], only_for=CI, suffix="/x"),
    Move(wins="another's data", actions=["s3:GetObject", "s3:PutObject"], on=["foreign bucket"], suffix="/x"),
    Move(wins="the state", actions=["s3:GetObject"], on=["state bucket"], job_of=CI, suffix="/x"),
    Move(
        wins="what whoever deploys next runs",
        actions=["s3:DeleteObject", "s3:PutObject"],
        on=["state bucket"],
        job_of=DEPLOY,
        suffix="/x",
    ),
    Move(
        wins="the loss of data",
        actions=["s3:DeleteObject", "s3:PutLifecycleConfiguration"],
        on=["bucket"],
        only_for=CI,
    ),
    Move(
        wins="the loss of another's data",
        actions=["s3:DeleteObject"],
        on=["foreign bucket", "state bucket"],
        suffix="/x",
        job_of=DEPLOY,
    ),
    Move(wins="the loss of the cluster", actions=["eks:DeleteCluster"], on=["cluster", "foreign cluster"]),
    Move(wins="the loss of the database", actions=["rds:DeleteDBInstance"], on=["database"]),
    Move(wins="images that others run", actions=["ecr:PutImage"], on=["repository"], job_of=PUSH),
    Move(wins="images that another runs", actions=["ecr:PutImage"], on=["foreign repository"]),
    Move(
        wins="the loss of images, or others in their place",
        actions=["ecr:BatchDeleteImage", "ecr:DeleteRepository", "ecr:PutImageTagMutability"],
        on=["repository", "foreign repository"],
        job_of=DEPLOY,
    ),
    Move(
        wins="the database's password",
        actions=["rds:ModifyDBInstance", "rds:CreateDBInstance"],
        on=["database"],
        given={"rds:managemasteruserpassword": "false"},
    ),
    Move(
        wins="the history of the state",
        actions=["s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration", "s3:DeleteBucket"],
        on=["state bucket"],
    ),
    Move(wins="what a key encrypts", actions=["kms:Decrypt"], on=["key", "foreign key"]),
    Move(wins="what the state's key encrypts", actions=["kms:Decrypt"], on=["state key"], job_of=CI),
    *(
        Move(
            wins="what another's key encrypts",
            actions=["kms:Decrypt", "kms:CreateGrant"],
            on=["foreign key"],
            given={"kms:viaservice": f"{service}.us-east-1.amazonaws.com"},
        )
        for service in ("ec2", "rds", "s3", "secretsmanager")
    ),
)

PROTECTION = (
    Move(
        wins="data, by what protects it",
        actions=[
            "s3:DeleteBucketPolicy",
            "s3:PutBucketAcl",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutEncryptionConfiguration",
            "s3:PutReplicationConfiguration",
        ],
        on=["bucket", "foreign bucket", "state bucket"],
    ),
    Move(
        wins="secrets, by what protects them",
        actions=["secretsmanager:PutResourcePolicy", "secretsmanager:UpdateSecret"],
        on=["secret", "foreign secret"],
    ),
    Move(
        wins="another's secrets, by what protects them",
        actions=["secretsmanager:PutResourcePolicy", "secretsmanager:TagResource"],
        on=["foreign secret"],
        given={"secretsmanager:blockpublicpolicy": "true"},
    ),
    Move(
        wins="what a key encrypts, by its policy or a grant",
        actions=["kms:CreateGrant", "kms:PutKeyPolicy", "kms:ReplicateKey"],
        on=["key", "foreign key", "state key"],
    ),
    Move(
        wins="power over a key that is not its own",
        actions=["kms:CreateAlias", "kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UpdateAlias"],
        on=["foreign key", "state key"],
    ),
    Move(
        wins="power over a network that is not its own",
        actions=["ec2:CreateTags", "ec2:DeleteSecurityGroup", "ec2:AuthorizeSecurityGroupIngress"],
        on=["foreign security group"],
    ),
    Move(wins="another's network", actions=["ec2:CreateTags", "ec2:DeleteVpc"], on=["foreign network"]),
    Move(
        wins="another's traffic",
        actions=["ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"],
        on=["foreign interface"],
    ),
    Move(
        wins="another's volumes",
        actions=["ec2:AttachVolume", "ec2:CreateSnapshot", "ec2:DeleteVolume"],
        on=["foreign volume"],
    ),
    *(
        Move(wins="data, by a share with another account", actions=[action], on=[arn])
        for action, arn in (
            ("ec2:ModifySnapshotAttribute", "arn:aws:ec2:us-east-1::snapshot/snap-1"),
            ("ecr:SetRepositoryPolicy", f"arn:aws:ecr:{_HERE}:repository/{PROJECT}-dev/mlflow"),
            ("rds:ModifyDBSnapshotAttribute", f"arn:aws:rds:{_HERE}:snapshot:{PROJECT}-dev-mlflow"),
        )
    ),
)

MOVES = (*ROLES, *CODE, *DATA, *PROTECTION)
