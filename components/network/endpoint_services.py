"""AWS services that an interface endpoint can reach, and those of them that nodes without NAT need.

https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

ENDPOINT_SERVICES = (
    "aps-workspaces",
    "athena",
    "autoscaling",
    "codeartifact.api",
    "codeartifact.repositories",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticfilesystem",
    "elasticloadbalancing",
    "events",
    "glue",
    "kinesis-streams",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "rds",
    "sagemaker.api",
    "sagemaker.featurestore-runtime",
    "sagemaker.runtime",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "states",
    "sts",
    "xray",
)

# https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html: services that nodes call without internet
# access. S3 is not listed: its gateway endpoint always exists. Pods read their secrets from Secrets Manager.
PRIVATE_NODE_SERVICES = (
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "logs",
    "secretsmanager",
    "sts",
)
