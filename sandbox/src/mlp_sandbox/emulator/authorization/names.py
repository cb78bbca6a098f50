"""The request parameters that hold the parts of ARNs, where parameter and ARN placeholder have different names.

A placeholder of an ARN is looked up under its own name, in singular and plural. The entries here take precedence.
"""

from collections.abc import Mapping

# (prefix, placeholder) -> parameters; the first that the request has is used.
PARAMETERS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ecr", "RepositoryName"): ("repositoryName", "repositoryNames"),
    ("ec2", "SecurityGroupId"): ("GroupId", "GroupIds", "SecurityGroupIds", "SecurityGroupId", "Groups"),
    ("ec2", "NaclId"): ("NetworkAclId", "NetworkAclIds"),
    ("ec2", "KeyPairName"): ("KeyName", "KeyNames"),
    ("ec2", "PlacementGroupName"): ("GroupName", "GroupNames"),
    ("ec2", "VpcFlowLogId"): ("FlowLogIds",),
    ("ec2", "SecurityGroupRuleId"): ("SecurityGroupRuleIds", "SecurityGroupRuleId"),
    ("ec2", "CapacityReservationId"): ("CapacityReservationId", "CapacityReservationIds"),
    ("rds", "DbInstanceName"): ("DBInstanceIdentifier",),
    ("rds", "DbClusterInstanceName"): ("DBClusterIdentifier",),
    ("rds", "ParameterGroupName"): ("DBParameterGroupName",),
    ("rds", "ClusterParameterGroupName"): ("DBClusterParameterGroupName",),
    ("rds", "SubnetGroupName"): ("DBSubnetGroupName",),
    ("rds", "SnapshotName"): ("DBSnapshotIdentifier",),
    ("rds", "ClusterSnapshotName"): ("DBClusterSnapshotIdentifier",),
    ("rds", "SecurityGroupName"): ("DBSecurityGroupName", "DBSecurityGroups"),
    ("eks", "ClusterName"): ("clusterName", "name"),
    ("eks-auth", "ClusterName"): ("clusterName",),
    ("sns", "TopicName"): ("Name",),
    ("ssm", "DocumentName"): ("DocumentName", "Name"),
    ("budgets", "BudgetName"): ("BudgetName",),
    ("events", "RuleName"): ("Rule", "Name"),
    ("events", "EventBusName"): ("EventBusName", "Name"),
    ("events", "ApiDestinationName"): ("Name",),
    ("events", "ConnectionName"): ("Name",),
    ("lambda", "FunctionName"): ("FunctionName",),
    ("cloudwatch", "AlarmName"): ("AlarmName", "AlarmNames"),
    ("cloudwatch", "DashboardName"): ("DashboardName", "DashboardNames"),
    ("cloudwatch", "MetricStreamName"): ("Name", "Names"),
    ("autoscaling", "GroupFriendlyName"): ("AutoScalingGroupName",),
    ("logs", "DestinationName"): ("destinationName",),
    ("sagemaker", "TrialName"): ("TrialName",),
    ("sagemaker", "ModelPackageName"): ("ModelPackageName",),
    ("states", "StateMachineName"): ("name",),
    ("elasticloadbalancing", "LoadBalancerName"): ("LoadBalancerName", "Name", "Names"),
    ("elasticloadbalancing", "TargetGroupName"): ("Name", "Names"),
}

# Identifiers that AWS assigns itself and requests do not carry; a star stands in for them.
GIVEN_BY_AWS = frozenset(
    {"UUID", "GroupId", "Id", "LoadBalancerId", "ListenerId", "ListenerRuleId", "TargetGroupId", "OpaqueId"}
)

# botocore operations whose permission has another name.
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "budgets:CreateBudget": ("budgets:ModifyBudget",),
    "budgets:CreateNotification": ("budgets:ModifyBudget",),
    "budgets:CreateSubscriber": ("budgets:ModifyBudget",),
    "budgets:DeleteBudget": ("budgets:ModifyBudget",),
    "budgets:DeleteNotification": ("budgets:ModifyBudget",),
    "budgets:DeleteSubscriber": ("budgets:ModifyBudget",),
    "budgets:DescribeBudget": ("budgets:ViewBudget",),
    "budgets:DescribeBudgetNotificationsForAccount": ("budgets:ViewBudget",),
    "budgets:DescribeBudgetPerformanceHistory": ("budgets:ViewBudget",),
    "budgets:DescribeBudgets": ("budgets:ViewBudget",),
    "budgets:DescribeNotificationsForBudget": ("budgets:ViewBudget",),
    "budgets:DescribeSubscribersForNotification": ("budgets:ViewBudget",),
    "budgets:UpdateBudget": ("budgets:ModifyBudget",),
    "budgets:UpdateNotification": ("budgets:ModifyBudget",),
    "budgets:UpdateSubscriber": ("budgets:ModifyBudget",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "lambda:InvokeWithResponseStream": ("lambda:InvokeFunction",),
    "sns:PublishBatch": ("sns:Publish",),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
}

# The tagging permission that a service requires besides the create permission when the request has tags.
TAGGING: Mapping[str, str] = {
    "autoscaling": "autoscaling:CreateOrUpdateTags",
    "budgets": "budgets:TagResource",
    "cloudwatch": "cloudwatch:TagResource",
    "dynamodb": "dynamodb:TagResource",
    "ecr": "ecr:TagResource",
    "eks": "eks:TagResource",
    "events": "events:TagResource",
    "kms": "kms:TagResource",
    "lambda": "lambda:TagResource",
    "logs": "logs:TagResource",
    "rds": "rds:AddTagsToResource",
    "sagemaker": "sagemaker:AddTags",
    "secretsmanager": "secretsmanager:TagResource",
    "sns": "sns:TagResource",
    "sqs": "sqs:TagQueue",
    "ssm": "ssm:AddTagsToResource",
}
IAM_TAGGING: Mapping[str, str] = {
    "CreateInstanceProfile": "iam:TagInstanceProfile",
    "CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
    "CreatePolicy": "iam:TagPolicy",
    "CreateRole": "iam:TagRole",
    "CreateUser": "iam:TagUser",
}

# Operations that every caller with valid credentials may use.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
ALWAYS_ALLOWED = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken"), ("sts", "GetAccessKeyInfo")})
