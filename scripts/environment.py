"""Update `.venv` to match requirements-dev.txt: `python3 scripts/environment.py`.

This file must parse under any Python 3, so that an outdated version gets a message instead of a traceback. The work is
done in scripts/virtual_environment.py.
"""

# pyright: basic
import os
import subprocess
import sys

MINIMUM = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def find_newer(names=NEWER):  # noqa: ANN001, ANN201 - annotations of today do not parse in a Python of yesterday
    """Return the first of these commands that starts Python 3.11 or newer, or None.

    Each command is run, because a version manager's shim can exist without a working interpreter.
    """
    script = "import sys; sys.exit(sys.version_info[:2] < %r)" % (MINIMUM,)  # noqa: UP031 - as above
    for name in names:
        try:
            if subprocess.call([name, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
                return name
        except OSError:
            continue
    return None


def too_old(version):  # noqa: ANN001, ANN201 - as above
    """Return the error message for an outdated Python version, or None if the version is sufficient."""
    if tuple(version[:2]) >= MINIMUM:
        return None
    return (
        "error: Python %d.%d found, 3.11 or newer needed. Install one (Debian: apt-get install python3.11 "  # noqa: UP031
        "python3.11-venv) or name it: make PYTHON=/path/to/python3.11" % tuple(version[:2])
    )


def main():  # noqa: ANN201 - as above
    message = too_old(sys.version_info)
    if message is not None:
        newer = find_newer()
        if newer is None:
            sys.stderr.write(message + "\n")
            return 2
        os.execvp(newer, [newer, *sys.argv])  # noqa: S606 - no shell is wanted
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - as above
    sys.path.insert(0, root)
    from scripts.virtual_environment import main as bring_in_step

    return bring_in_step(root)


if __name__ == "__main__":
    sys.exit(main())
