"""Resource types and functions of S3."""
