"""`mlp images`: the container images of an environment, built, pushed and pinned."""
