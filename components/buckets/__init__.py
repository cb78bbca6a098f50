"""S3 buckets of an environment and their policies."""
