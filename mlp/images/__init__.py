"""`mlp images`: build, push and pin the container images of an environment."""
