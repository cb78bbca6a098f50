"""Limits on timing, printed for users: changes that take effect late, and changes that are immediate unlike on AWS."""

from mlp_sandbox.emulator.limits import Limit
from mlp_sandbox.emulator.propagation import TABLE

LATE_LIMITS: tuple[Limit, ...] = (
    *(
        Limit(
            service="account",
            what=f"late effects: {late.what}, up to {late.longest:.0f} s later",
            effect=f"until then {late.until} ({late.source}); `mlp sandbox up --propagation` chooses how late",
        )
        for late in TABLE
    ),
    Limit(
        service="account",
        what="other changes take effect at once, and so does the end of a role, association, entry or bucket",
        effect="on AWS policies of keys, secrets, topics, queues and repositories take seconds as well, and services "
        "may not know a role at once that is passed to them; images can be pulled here as soon as they are pushed",
    ),
)
