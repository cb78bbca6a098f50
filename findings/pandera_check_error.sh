#!/usr/bin/env bash
# Behaviour: With lazy=True an error inside a check becomes one more failure case, as if the data were wrong.
# Package: pandera
# Version: 0.35.0
# Date: 2026-11-29
# Expected: A check that raises NameError ends the validation with that NameError.
# Observed: validate(data, lazy=True) raises SchemaErrors. Its failure_cases has a row whose failure_case is the text
#   NameError("...") and whose index is empty, next to the rows of values that failed. No column of that table tells the
#   two apart. Only the reason of an error does: CHECK_ERROR instead of DATAFRAME_CHECK. The exception is neither raised
#   nor kept as a cause.
# Consequence: A bug in a check is reported to the people who deliver the data, and a count of failures includes it.
# Output:
#   pandera 0.35.0 pandas 3.1.1
#     column     check                              failure_case index
#   0      a  positive                                        -2     1
#   1      a  mistaken  NameError("name 'limit' is not defined")  None
#   reasons: ['DATAFRAME_CHECK', 'CHECK_ERROR']
#   causes: [None, None]
# See: https://github.com/unionai-oss/pandera/pull/613
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile pandera==0.35.0 pandas==3.1.1 numpy==2.4.6
venv/bin/python - <<'END'
import importlib.metadata
import sys

import pandas as pd
import pandera.pandas as pa

print("pandera", importlib.metadata.version("pandera"), "pandas", pd.__version__)
positive = pa.Check(lambda values: values > 0, name="positive")
mistaken = pa.Check(lambda values: values < limit, name="mistaken")  # noqa: F821, there is no such name
schema = pa.DataFrameSchema({"a": pa.Column(int, [positive, mistaken])})
try:
    schema.validate(pd.DataFrame({"a": [1, -2]}), lazy=True)
    sys.exit("changed: nothing is raised")
except NameError:
    sys.exit("changed: what the check raises gets out")
except pa.errors.SchemaErrors as errors:
    print(errors.failure_cases[["column", "check", "failure_case", "index"]].to_string())
    print("reasons:", [each.reason_code.name for each in errors.schema_errors])
    print("causes:", [each.__cause__ for each in errors.schema_errors])
    cases = errors.failure_cases.set_index("check")["failure_case"]
    if "NameError" not in str(cases.get("mistaken")) or str(cases.get("positive")) != "-2":
        sys.exit("changed: failure cases no longer hold both")
END
