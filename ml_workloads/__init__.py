"""Projects of ML teams: what a team writes, and what the platform makes of it."""
