"""A secret value that a team put where it belongs, to be found nowhere else."""

PLANTED = "planted-7f3b9c51e2-value"
