"""KMS, S3, Budgets, IAM, SNS, Logs, ECR and Secrets Manager: fields read back as sent."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.running import ACCOUNT

Clients = Callable[[str], Any]


def test_the_rotation_period_of_a_key_is_kept(client: Clients):
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 180)
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 365
    kms.disable_key_rotation(KeyId=key)
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key)
    with pytest.raises(ClientError, match="less than or equal to 2560"):
        kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=2561)


def test_keys_that_are_disabled_or_awaiting_deletion_cannot_be_used(client: Clients):
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError, match="DisabledException"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(ClientError, match="KMSInvalidStateException"):
        kms.encrypt(KeyId=key, Plaintext=b"x")


def test_every_field_of_a_lifecycle_configuration_is_kept(client: Clients):
    s3 = client("s3")
    s3.create_bucket(Bucket="lifecycle")
    tag = {"Key": "k", "Value": "v"}
    both = {"Prefix": "x/", "Tags": [tag], "ObjectSizeGreaterThan": 500, "ObjectSizeLessThan": 5000}
    rules = [
        {
            "ID": "all",
            "Status": "Enabled",
            "Filter": {"And": both},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3},
            "NoncurrentVersionTransitions": [
                {"NoncurrentDays": 30, "StorageClass": "GLACIER", "NewerNoncurrentVersions": 2}
            ],
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {"ID": "size", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 9}, "Expiration": {"Days": 5}},
        {"ID": "tag", "Status": "Disabled", "Filter": {"Tag": tag}, "Expiration": {"Days": 5}},
        {"ID": "none", "Status": "Enabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    ]
    s3.put_bucket_lifecycle_configuration(
        Bucket="lifecycle",
        LifecycleConfiguration={"Rules": rules},
        TransitionDefaultMinimumObjectSize="varies_by_storage_class",
    )
    read = s3.get_bucket_lifecycle_configuration(Bucket="lifecycle")
    assert read["Rules"] == rules
    assert read["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    s3.delete_bucket_lifecycle(Bucket="lifecycle")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="lifecycle")


@pytest.mark.parametrize(
    "key_format", [{"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}, {"SimplePrefix": {}}]
)
def test_the_key_format_of_access_logs_is_kept(client: Clients, key_format: dict[str, Any]):
    s3 = client("s3")
    for name in ("logged", "log-target"):
        s3.create_bucket(Bucket=name)
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::log-target/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::log-target/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, tls_only]})
    s3.put_bucket_policy(Bucket="log-target", Policy=policy)
    sent = {"TargetBucket": "log-target", "TargetPrefix": "p/", "TargetObjectKeyFormat": key_format}
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": sent})
    assert s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"] == sent
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="logged")


def test_a_new_bucket_has_the_settings_that_aws_gives_it(client: Clients):
    s3 = client("s3")
    s3.create_bucket(Bucket="brand-new")
    [rule] = s3.get_bucket_ownership_controls(Bucket="brand-new")["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    assert set(s3.get_public_access_block(Bucket="brand-new")["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = s3.get_bucket_encryption(Bucket="brand-new")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    s3.delete_bucket_ownership_controls(Bucket="brand-new")
    with pytest.raises(ClientError, match="OwnershipControlsNotFoundError"):
        s3.get_bucket_ownership_controls(Bucket="brand-new")
    assert s3.get_bucket_location(Bucket="brand-new")["LocationConstraint"] is None


def test_a_budget_with_tags_notifications_and_subscribers_lives_a_whole_life(client: Clients):
    budgets = client("budgets")
    named = {"AccountId": ACCOUNT, "BudgetName": "life"}
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/life"
    budget = {
        "BudgetName": "life",
        "BudgetLimit": {"Amount": "100.0", "Unit": "USD"},
        "TimeUnit": "MONTHLY",
        "BudgetType": "COST",
        "CostFilters": {"TagKeyValue": ["user:team$ml"]},
    }
    alarm = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80.0,
        "ThresholdType": "PERCENTAGE",
    }
    mail, topic = ({"SubscriptionType": kind, "Address": kind} for kind in ("EMAIL", "SNS"))
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget=budget,
        NotificationsWithSubscribers=[{"Notification": alarm, "Subscribers": [mail]}],
        ResourceTags=[{"Key": "team", "Value": "ml"}],
    )
    read = budgets.describe_budget(**named)["Budget"]
    assert budget.items() <= read.items()
    assert read["CostTypes"]["IncludeTax"] is True

    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "a", "Value": "b"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["team"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "a", "Value": "b"}]

    budgets.create_subscriber(**named, Notification=alarm, Subscriber=topic)
    budgets.delete_subscriber(**named, Notification=alarm, Subscriber=mail)
    assert budgets.describe_subscribers_for_notification(**named, Notification=alarm)["Subscribers"] == [topic]
    forecast = alarm | {"NotificationType": "FORECASTED"}
    budgets.update_notification(**named, OldNotification=alarm, NewNotification=forecast)
    assert budgets.describe_subscribers_for_notification(**named, Notification=forecast)["Subscribers"] == [topic]
    with pytest.raises(ClientError, match="DuplicateRecordException"):
        budgets.create_notification(**named, Notification=forecast, Subscribers=[mail])

    changed = budget | {"BudgetLimit": {"Amount": "200.0", "Unit": "USD"}}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=changed)
    after = budgets.describe_budget(**named)["Budget"]
    assert after["BudgetLimit"]["Amount"] == "200.0"
    assert after["TimePeriod"] == read["TimePeriod"]
    [kept] = budgets.describe_notifications_for_budget(**named)["Notifications"]
    assert forecast.items() <= kept.items()
    budgets.delete_notification(**named, Notification=forecast)
    assert budgets.describe_notifications_for_budget(**named)["Notifications"] == []
    budgets.delete_budget(**named)
    with pytest.raises(ClientError, match="NotFoundException"):
        budgets.list_tags_for_resource(ResourceARN=arn)


def test_client_ids_of_an_oidc_provider_are_added_and_removed(client: Clients):
    iam = client("iam")
    made = iam.create_open_id_connect_provider(Url="https://token.example.com", ClientIDList=["one"])
    arn = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    iam.add_client_id_to_open_id_connect_provider(**arn, ClientID="two")
    iam.add_client_id_to_open_id_connect_provider(**arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(**arn, ClientID="one")
    assert iam.get_open_id_connect_provider(**arn)["ClientIDList"] == ["two"]


@pytest.mark.parametrize("document", ["{}", '{"Version":"2012-10-17","Statement":[]}'])
def test_a_trust_policy_that_trusts_nobody_is_refused(client: Clients, document: str):
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        client("iam").create_role(RoleName="untrusted", AssumeRolePolicyDocument=document)


def test_a_role_with_attached_policies_cannot_be_deleted(client: Clients):
    iam = client("iam")
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="attached", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="attached", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    with pytest.raises(ClientError, match="DeleteConflict"):
        iam.delete_role(RoleName="attached")


def test_attributes_of_a_topic_are_kept(client: Clients, key: str):
    sns = client("sns")
    sent = {"KmsMasterKeyId": key, "DisplayName": "d", "SignatureVersion": "2"}
    topic = sns.create_topic(Name="kept", Attributes=sent)["TopicArn"]
    assert sent.items() <= sns.get_topic_attributes(TopicArn=topic)["Attributes"].items()
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue="1")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="TracingConfig", AttributeValue="Active")
    changed = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (changed["SignatureVersion"], changed["TracingConfig"]) == ("1", "Active")
    sns.delete_topic(TopicArn=topic)
    sns.create_topic(Name="kept")
    assert "SignatureVersion" not in sns.get_topic_attributes(TopicArn=topic)["Attributes"]


def test_class_and_protection_of_a_log_group_are_kept_and_protect(client: Clients, key: str):
    logs = client("logs")
    logs.create_log_group(logGroupName="/kept", kmsKeyId=key, logGroupClass="INFREQUENT_ACCESS")
    logs.put_retention_policy(logGroupName="/kept", retentionInDays=30)
    logs.put_log_group_deletion_protection(logGroupIdentifier="/kept", deletionProtectionEnabled=True)
    [group] = logs.describe_log_groups(logGroupNamePrefix="/kept")["logGroups"]
    assert (group["kmsKeyId"], group["logGroupClass"], group["retentionInDays"]) == (key, "INFREQUENT_ACCESS", 30)
    assert group["deletionProtectionEnabled"] is True
    with pytest.raises(ClientError, match="deletion protection is enabled"):
        logs.delete_log_group(logGroupName="/kept")
    logs.put_log_group_deletion_protection(logGroupIdentifier="/kept", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="/kept")


def test_a_repository_and_a_secret_read_back_as_sent(client: Clients, key: str):
    ecr, secrets = client("ecr"), client("secretsmanager")
    sent = {
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": key},
    }
    ecr.create_repository(repositoryName="ml/train", **sent)
    [repository] = ecr.describe_repositories(repositoryNames=["ml/train"])["repositories"]
    assert sent.items() <= repository.items()
    secret = secrets.create_secret(Name="ml/token", KmsKeyId=key, Description="d")["ARN"]
    policy = '{"Version":"2012-10-17","Statement":[]}'
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy, BlockPublicPolicy=True)
    assert secrets.get_resource_policy(SecretId=secret)["ResourcePolicy"] == policy
    read = secrets.describe_secret(SecretId=secret)
    assert (read["KmsKeyId"], read["Description"]) == (key, "d")


def test_a_bucket_in_which_objects_were_deleted_can_be_emptied_of_all_versions(client: Clients):
    s3 = client("s3")
    s3.create_bucket(Bucket="markers")
    s3.put_bucket_versioning(Bucket="markers", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="markers", Key="a", Body=b"1")
    s3.delete_object(Bucket="markers", Key="a")
    listed = s3.list_object_versions(Bucket="markers")
    versions = [*listed["Versions"], *listed["DeleteMarkers"]]
    objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
    assert "Errors" not in s3.delete_objects(Bucket="markers", Delete={"Objects": objects})
    s3.delete_bucket(Bucket="markers")
