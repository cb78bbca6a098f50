"""`make bench`: wall time and memory of the engine on the dev environment and on generated programs."""
