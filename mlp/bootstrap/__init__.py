"""`mlp bootstrap`: the bucket, the key and the OIDC provider that an AWS account needs before the first deployment."""
