"""`mlp`: the platform team's command line. Thin commands over pure functions; `python -m mlp` is the same program."""
