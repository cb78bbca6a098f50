"""`mlp`: the platform team's command line. Thin commands over pure functions; `python -m cli` is the same program."""
