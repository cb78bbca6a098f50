"""Import path of the tests: the project's code is imported from the project's folder, as in its image."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
