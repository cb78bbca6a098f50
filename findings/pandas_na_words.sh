#!/usr/bin/env bash
# Behaviour: A word in na_values that reads as a whole number makes every cell with that number missing, in all columns.
# Package: pandas
# Version: 3.1.1
# Date: 2026-11-29
# Expected: na_values lists strings. na_values=["00000"] with keep_default_na=False makes only those cells missing that
#   hold these five characters, such as an unknown postal code.
# Observed: read_csv adds the number that the word reads as, in several spellings. The cells 0 and 0.0 are missing too:
#   in columns of whole numbers, where 0 means none, and in columns that dtype="str" reads as text.
# Consequence: Values are lost without a message, and a column of whole numbers becomes one of floats. A word such as
#   -999 takes -999.0 with it.
# Output:
#   pandas 3.1.1
#   types inferred: {'code': [nan, 12345.0, 12346.0], 'children': [nan, 2.0, 1.0], 'note': [nan, nan, 0.0]}
#   code and note as text: {'code': [nan, '12345', '12346'], 'children': [nan, 2.0, 1.0], 'note': [nan, nan, '00']}
# See: https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile pandas==3.1.1 numpy==2.4.6
venv/bin/python - <<'END'
import io
import sys

import pandas as pd

print("pandas", pd.__version__)
TABLE = "code,children,note\n00000,0,0\n12345,2,0.0\n12346,1,00\n"
seen = {}
for dtype in (None, {"code": "str", "note": "str"}):
    frame = pd.read_csv(io.StringIO(TABLE), na_values=["00000"], keep_default_na=False, dtype=dtype)
    seen[bool(dtype)] = {name: frame[name].isna().tolist() for name in ("children", "note")}
    print("code and note as text:" if dtype else "types inferred:", frame.to_dict("list"))
expected = {
    False: {"children": [True, False, False], "note": [True, True, False]},
    True: {"children": [True, False, False], "note": [True, True, False]},
}
if seen != expected:
    sys.exit(f"changed: expected missing cells were {expected}")
END
