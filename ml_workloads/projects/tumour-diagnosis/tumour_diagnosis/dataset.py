"""The data set as a table: `python -m tumour_diagnosis.dataset data/tumours.csv`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.datasets import load_breast_cancer


def tumours() -> pd.DataFrame:
    """Return the data set: 569 rows with 30 measurements, named in snake case, and `diagnosis`: malignant or benign."""
    loaded: Any = load_breast_cancer(as_frame=True)
    table: pd.DataFrame = loaded.data.rename(columns=lambda name: str(name).replace(" ", "_"))
    return table.assign(diagnosis=[str(loaded.target_names[code]) for code in loaded.target])


def write(path: Path) -> None:
    """Write the data set as a CSV, and create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tumours().to_csv(path, index=False)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
