"""`mlp doctor`: check the tools of this machine, and the AWS account of an environment."""
