"""The known gaps of the emulated account, for the services of this platform: printed for users, checked by tests.

Tests call the operations of each entry on the running emulator: all of them must answer NotImplemented.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One gap. `service` is botocore's name, or `account` for a gap that concerns all services.

    `effect` describes what a user observes. `operations` (botocore's names) are rejected as not implemented.
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
        what="policies bind sessions of roles and users with access keys; any other key is the administrator's",
        effect="the sandbox's own credentials pass everywhere, save where a policy of a resource denies explicitly; "
        "service and resource control policies of AWS Organizations do not exist",
    ),
    Limit(
        service="iam",
        what="resources of an operation are told by what AWS publishes and the names in its parameters",
        effect="where a request names its resource in another form, or AWS publishes no kind for it, the action is "
        "evaluated on `*` or `<kind>/*`, and so denied to policies that list resources",
    ),
    Limit(
        service="iam",
        what="context keys of services that are neither named like a parameter nor used by this platform",
        effect="a condition on them finds the key missing",
    ),
    Limit(
        service="iam",
        what="what a service does with a role that was passed to it",
        effect="the service is not held to the role's policies: only who assumes a role through STS is",
    ),
    Limit(
        service="iam",
        what="quotas of sizes and attachments are the defaults; the numbers of roles, users and policies of an account "
        "have none",
        effect="a trust policy over 2,048 characters or an eleventh managed policy is refused, though AWS raises both",
    ),
    Limit(
        service="iam",
        what="principals of other accounts are not looked for",
        effect="policies and access entries may name roles of other accounts that do not exist; policies of topics, "
        "queues and repositories may name any",
    ),
    Limit(
        service="iam",
        what="access advice; simulations say no positions in policies",
        effect="GenerateServiceLastAccessedDetails is refused",
        operations=("GenerateServiceLastAccessedDetails",),
    ),
    Limit(
        service="iam",
        what="RoleLastUsed of reading requests",
        effect="a restart forgets when a role was last used for a read",
    ),
    Limit(
        service="sts",
        what="signatures of web identity tokens are not verified, and AssumeRoleWithSAML asks no trust policy",
        effect="AssumeRoleWithWebIdentity holds the claims, audience and expiry of any token against the provider and "
        "the role's trust policy, whoever signed it",
    ),
    Limit(
        service="sts",
        what="the administrator assumes every role of the account, unless its trust policy denies explicitly",
        effect="a trust policy that forgets the administrator is not noticed; a role that does not exist is refused",
    ),
    Limit(
        service="sts",
        what="other accounts are those of roles that are assumed in them",
        effect="a session of a role that does not exist in another account is that account's administrator",
    ),
    Limit(
        service="ec2",
        what="networks carry no packets",
        effect="routes, security groups, NAT and endpoints are records; flow logs stay empty",
    ),
    Limit(
        service="ec2",
        what="transit gateways of another account, tgw-0123456789abcdef0 to f, are shared with the local account",
        effect="what is behind them does not exist: attachments and routes are records; attachments are accepted at "
        "once, in every region, where a real owner may have to accept each",
    ),
    Limit(
        service="ec2",
        what="routes and attachments of a VPC have no quotas",
        effect="AWS takes 500 routes in a table and 5 transit gateways of a VPC",
    ),
    Limit(
        service="ec2",
        what="capacity is never short: reservations are records, and there are no capacity blocks to buy",
        effect="instances do not count against a reservation; a launch template may name any reservation or block",
        operations=("DescribeCapacityBlockOfferings", "PurchaseCapacityBlock"),
    ),
    Limit(
        service="ec2",
        what="instances of Auto Scaling groups have their primary network interface only",
        effect="further interfaces of a launch template, EFA ones included, are records",
    ),
    Limit(
        service="service-quotas",
        what="quotas of running instances are numbers",
        effect="instances start beyond them; a raise is granted at once, which takes AWS days. Other quotas of EC2 and "
        "of other services are not listed, but vpc's",
    ),
    Limit(
        service="autoscaling",
        what="groups change when a request asks for it",
        effect="scaling policies, schedules, lifecycle hooks and instance refreshes are records; Spot instances are "
        "never interrupted, and always of the first instance type",
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
        what="use of keys in the caller's name is checked for S3, Secrets Manager and SNS, and for keys given to RDS, "
        "ECR, EC2",
        effect="other services encrypt without asking whether the caller may use the key",
    ),
    Limit(
        service="s3",
        what="checksums and signatures are not verified",
        effect="a corrupted upload, a wrong secret key or a missing session token is accepted",
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
        effect="`docker push` gets no registry. What `mlp images build` or `mlp sandbox images` put into the sandbox's "
        "store under a reference of ECR counts as pushed, though DeleteRepository, BatchDeleteImage and lifecycle "
        "policies do not see it",
        operations=("CreatePullThroughCacheRule", "CreateRepositoryCreationTemplate"),
    ),
    Limit(
        service="ecr",
        what="with simulated nodes every tag of a repository counts as pushed",
        effect="nothing can be built and pods run nothing there: DescribeImages finds whatever tag it is asked for, "
        "and the program never says that an image is missing",
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
        what="every cluster runs the same Kubernetes, 1.36.3, whatever version it says",
        effect="`kubectl version` tells what runs; an update or rollback of the version changes what the API says, and "
        "of the insights that hold a rollback up only the versions of node groups are looked at",
    ),
    Limit(
        service="eks",
        what="no Auto Mode, Outposts, hybrid nodes, IPv6, settings or tiers of the control plane, SSH to nodes, warm "
        "pools; images of AL2023 only",
        effect="refused with an error that names the setting",
    ),
    Limit(
        service="eks",
        what="identity providers, insights, capabilities, certificate authorities, registered clusters",
        effect="refused",
        operations=("AssociateIdentityProviderConfig", "ListInsights", "CreateCapability", "RegisterCluster"),
    ),
    Limit(
        service="eks",
        what="updates are carried out when they are asked for",
        effect="a node group's new version replaces all of its nodes together, whatever updateConfig says, and drains "
        "none; node repair is a record; a cluster that is still CREATING takes node groups and add-ons",
    ),
    Limit(
        service="eks",
        what="add-ons coredns and metrics-server are installed; the others are part of every node",
        effect="versions of all of them and configurationValues of vpc-cni (save enableNetworkPolicy), kube-proxy, "
        "aws-ebs-csi-driver and eks-pod-identity-agent are records, held against an outline of their schemas; "
        "DeleteAddon keeps nothing",
    ),
    Limit(
        service="eks",
        what="the ConfigMap aws-auth is not read",
        effect="in authentication mode CONFIG_MAP only the cluster's creator gets in, elsewhere access entries count",
    ),
    Limit(
        service="eks",
        what="access policies of AWS's own components, such as those of Auto Mode, are not there",
        effect="ListAccessPolicies shows those that are enforced; others cannot be associated",
    ),
    Limit(
        service="eks",
        what="Pod Identity with targetRoleArn or a session policy",
        effect="refused",
    ),
    Limit(
        service="eks",
        what="the API server is reached from this machine only, whatever endpoint access says",
        effect="publicAccessCidrs are checked and kept; nothing is written into the control plane's log group",
    ),
    Limit(
        service="sqs",
        what="queue addresses hold the port of the time they were made",
        effect="after a restart on another port, queue URLs name the old port",
    ),
)
