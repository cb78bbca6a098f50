"""A planted password that a team put into its place; tests look for it everywhere else."""

import json

PLANTED = "planted-7f3b9c51e2-value"
ADDRESS = json.dumps({"url": f"mysql+pymysql://reader:half@{PLANTED}@db.internal:3306/sales?password={PLANTED}"})
"""Holds it twice, as people write it: behind an @ that is not escaped, and in the query. No image has its driver."""
