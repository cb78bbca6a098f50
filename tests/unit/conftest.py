"""What has to be imported before anything else."""

# At import skops asks every loaded module for each of some 800 names. pulumi_aws has modules that load when they are
# asked for anything: with them in the process that takes half a minute.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
