"""What the emulated account is known not to do, for the services of this platform: printed for users, held by tests.

Entries with operations are held against the running emulator: each of them answers NotImplemented.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One gap; `service` is botocore's name, or `account` for what concerns them all.

    `effect` says what a user meets; `operations` (botocore's names) are refused as not implemented.
    """

    service: str
    what: str
    effect: str
    operations: tuple[str, ...] = ()


LIMITS: tuple[Limit, ...] = (
    Limit(
        service="account",
        what="the journal of writes is never compacted",
        effect="a deployment of dev adds about 130 requests (0.2 MB); 100 with their destroys add about 40 MB, and "
        "minutes to each start; `mlp sandbox reset` empties it, with everything else",
    ),
    Limit(
        service="iam",
        what="policies managed by AWS exist in the partition aws only",
        effect="regions of China and GovCloud have none",
    ),
    Limit(
        service="rds",
        what="a maintenance window opens when somebody looks",
        effect="pending changes are made by the first RDS request after the window's start, not by the clock",
    ),
    Limit(
        service="iam",
        what="policies are stored but not enforced",
        effect="every caller may do everything, except where an S3 bucket policy denies it",
    ),
    Limit(
        service="iam",
        what="policy simulation and access advice",
        effect="least privilege cannot be proved here; use the contract tests and IAM Access Analyzer on AWS",
        operations=("SimulatePrincipalPolicy", "SimulateCustomPolicy", "GenerateServiceLastAccessedDetails"),
    ),
    Limit(
        service="iam",
        what="RoleLastUsed of reading requests",
        effect="a restart forgets when a role was last used for a read",
    ),
    Limit(
        service="sts",
        what="web identity tokens are not checked",
        effect="AssumeRoleWithWebIdentity takes any token, so a role's OIDC trust conditions are not exercised",
    ),
    Limit(
        service="ec2",
        what="networks carry no packets",
        effect="routes, security groups, NAT and endpoints are records; flow logs stay empty",
    ),
    Limit(
        service="ec2",
        what="capacity reservations",
        effect="refused; a launch template may name any reservation",
        operations=("CreateCapacityReservation", "DescribeCapacityReservations"),
    ),
    Limit(
        service="ec2",
        what="placement groups place nothing",
        effect="launch templates may name them; one that instances use can be deleted, which AWS refuses",
    ),
    Limit(
        service="kms",
        what="multi-region keys cannot decrypt",
        effect="Decrypt with a key of MultiRegion=true answers AccessDeniedException",
    ),
    Limit(
        service="kms",
        what="key policies and grants are stored but not enforced",
        effect="every caller may use every enabled key",
    ),
    Limit(
        service="s3",
        what="checksums and signatures are not verified",
        effect="a corrupted upload or a wrong secret key is accepted",
    ),
    Limit(
        service="s3",
        what="lifecycle rules and replication are stored but do nothing",
        effect="objects do not expire, move or get copied; access logs are written at once",
    ),
    Limit(
        service="s3",
        what="DeleteObjects under a policy that denies one of its keys",
        effect="the whole request is refused; AWS refuses that key only",
    ),
    Limit(
        service="s3",
        what="intelligent tiering, request metrics and analytics configurations",
        effect="refused",
        operations=(
            "PutBucketIntelligentTieringConfiguration",
            "PutBucketMetricsConfiguration",
            "PutBucketAnalyticsConfiguration",
        ),
    ),
    Limit(
        service="secretsmanager",
        what="rotation and resource policies are not carried out",
        effect="a rotation schedule is stored; ValidateResourcePolicy is refused",
        operations=("ValidateResourcePolicy",),
    ),
    Limit(
        service="ecr",
        what="no image can be pushed or pulled",
        effect="repositories and their settings only; `docker push` gets no registry",
        operations=("CreatePullThroughCacheRule", "CreateRepositoryCreationTemplate"),
    ),
    Limit(
        service="rds",
        what="snapshots, read replicas and maintenance are records",
        effect="backups are not taken from the database that really runs, and a restore starts empty",
    ),
    Limit(
        service="rds",
        what="engine versions and defaults of PostgreSQL 15 to 17 only; parameters at their default are not listed",
        effect="other engines have no versions; DescribeDBParameters lists modified parameters only",
        operations=("DescribeEngineDefaultParameters",),
    ),
    Limit(
        service="sns",
        what="e-mail is not sent",
        effect="an e-mail subscription stays pending until ConfirmSubscription gets the last part of its ARN as token",
        operations=("PutDataProtectionPolicy",),
    ),
    Limit(
        service="budgets",
        what="nothing is ever spent",
        effect="budgets report 0 USD and notifications never fire; budget actions are refused",
        operations=("CreateBudgetAction", "DescribeBudgetActionsForBudget", "DescribeBudgetPerformanceHistory"),
    ),
    Limit(
        service="logs",
        what="metric filters do not emit, anomaly detection and data protection are missing",
        effect="stored, or refused",
        operations=("CreateLogAnomalyDetector", "PutDataProtectionPolicy", "PutAccountPolicy"),
    ),
    Limit(
        service="eks",
        what="add-ons, access entries, Pod Identity and cluster updates",
        effect="refused",
        operations=("CreateAddon", "CreateAccessEntry", "CreatePodIdentityAssociation", "UpdateClusterVersion"),
    ),
    Limit(
        service="sqs",
        what="queue addresses hold the port of the time they were made",
        effect="after a restart on another port, queue URLs name the old port",
    ),
)
