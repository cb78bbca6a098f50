"""`python -m cli`, which is what the `mlp` command of the virtual environment runs."""

import sys

# A module of ours that is missing is a mistake of ours, which no `make environment` mends.
OWN_PACKAGES = ("cli", "components", "ml_workloads", "platform_services", "sandbox", "stacks", "tools", "validation")


def start() -> None:
    """Without its packages, say how to get them: this is what a call with the system's Python meets."""
    try:
        from cli.app import main
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OWN_PACKAGES:
            raise
        sys.exit(f"error: the package {error.name} is not installed here; run `make environment`, then .venv/bin/mlp")
    main()


if __name__ == "__main__":
    start()
