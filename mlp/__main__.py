"""Entry point of `python -m mlp` and of the `mlp` command in the virtual environment."""

import sys

# A missing module of the platform itself is a bug in the platform, which `make environment` does not repair.
OWN_PACKAGES = ("components", "ml_workloads", "mlp", "platform_services", "stacks", "validation")


def start() -> None:
    """Run `mlp`. If its packages are missing, as with the system's Python, print how to install them."""
    try:
        from mlp.app import main
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OWN_PACKAGES:
            raise
        sys.exit(f"error: the package {error.name} is not installed here; run `make environment`, then .venv/bin/mlp")
    main()


if __name__ == "__main__":
    start()
