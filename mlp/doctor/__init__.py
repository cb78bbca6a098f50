"""`mlp doctor`: the tools of this machine, and what AWS offers an environment."""
