"""`mlp`: the platform team's command line. Thin commands call pure functions; `python -m mlp` runs the same program."""
