"""`mlp bootstrap`: the bucket, the key and the roles that an AWS account needs before the first deployment."""
