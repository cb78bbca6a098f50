"""Names of an RDS instance's inputs in the API, and the inputs that an emulated account rejects."""

# Input: its name in CreateDBInstance and in the answer.
FIXED = {
    "availabilityZone": "AvailabilityZone",
    "dbName": "DBName",
    "engine": "Engine",
    "engineLifecycleSupport": "EngineLifecycleSupport",
    "kmsKeyId": "KmsKeyId",
    "storageEncrypted": "StorageEncrypted",
    "username": "MasterUsername",
}
# Inputs that ModifyDBInstance can change: their names in calls and in the answer.
CHANGEABLE = {
    "allocatedStorage": "AllocatedStorage",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupWindow": "PreferredBackupWindow",
    "caCertIdentifier": "CACertificateIdentifier",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "databaseInsightsMode": "DatabaseInsightsMode",
    "dedicatedLogVolume": "DedicatedLogVolume",
    "deletionProtection": "DeletionProtection",
    "engineVersion": "EngineVersion",
    "instanceClass": "DBInstanceClass",
    "iops": "Iops",
    "licenseModel": "LicenseModel",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "maxAllocatedStorage": "MaxAllocatedStorage",
    "monitoringInterval": "MonitoringInterval",
    "monitoringRoleArn": "MonitoringRoleArn",
    "multiAz": "MultiAZ",
    "networkType": "NetworkType",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "publiclyAccessible": "PubliclyAccessible",
    "storageThroughput": "StorageThroughput",
    "storageType": "StorageType",
}
# Inputs whose name or shape in the answer differs from the call; `_special` reads them.
SENT = {
    "dbSubnetGroupName": "DBSubnetGroupName",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "manageMasterUserPassword": "ManageMasterUserPassword",
    "masterUserSecretKmsKeyId": "MasterUserSecretKmsKeyId",
    "optionGroupName": "OptionGroupName",
    "parameterGroupName": "DBParameterGroupName",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
}
OFF = (
    *("copyTagsToSnapshot", "dedicatedLogVolume", "deletionProtection", "iamDatabaseAuthenticationEnabled"),
    *("performanceInsightsEnabled", "publiclyAccessible"),
)
COMPUTED = (
    *("allocatedStorage", "backupRetentionPeriod", "backupWindow", "caCertIdentifier", "databaseInsightsMode"),
    *("dbSubnetGroupName", "engineVersion", "iops", "licenseModel", "maintenanceWindow", "masterUserSecretKmsKeyId"),
    *("monitoringRoleArn", "multiAz", "networkType", "optionGroupName", "parameterGroupName"),
    *("performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod", "port", "storageThroughput", "storageType"),
)
PASSWORD = "would put a password into the state; set manageMasterUserPassword"
SOURCE = "an emulated account makes empty databases only; leave it out"
DIRECTORY = "an emulated account has no directories; leave it out"
NOT_POSTGRES = "does not apply to PostgreSQL; leave it out"
UNSUPPORTED = {
    **dict.fromkeys(("password", "passwordWo", "passwordWoVersion"), PASSWORD),
    **dict.fromkeys(
        ("replicateSourceDb", "restoreToPointInTime", "s3Import", "snapshotIdentifier", "upgradeStorageConfig"), SOURCE
    ),
    **dict.fromkeys(
        ("domain", "domainAuthSecretArn", "domainDnsIps", "domainFqdn", "domainIamRoleName", "domainOu"), DIRECTORY
    ),
    **dict.fromkeys(("characterSetName", "ncharCharacterSetName", "replicaMode", "timezone"), NOT_POSTGRES),
    "backupTarget": "an emulated account has no Outposts; leave it out",
    "blueGreenUpdate": "an emulated account changes instances in place; leave it out",
    "customIamInstanceProfile": "an emulated account has no RDS Custom; leave it out",
    "customerOwnedIpEnabled": "an emulated account has no Outposts; leave it out",
    "warningEventCategories": "an emulated account has no RDS events; leave it out",
}
