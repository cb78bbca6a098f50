"""`python -m mlp` and the `mlp` command of the virtual environment."""

import sys

# A module of the platform that is missing is a fault of the platform, which `make environment` does not repair.
OWN_PACKAGES = ("components", "ml_workloads", "mlp", "platform_services", "stacks", "validation")


def start() -> None:
    """Run `mlp`; without its packages, as with the system's Python, say how to install them."""
    try:
        from mlp.app import main
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OWN_PACKAGES:
            raise
        sys.exit(f"error: the package {error.name} is not installed here; run `make environment`, then .venv/bin/mlp")
    main()


if __name__ == "__main__":
    start()
