"""Schedules with the API server's verdicts. A test on a cluster compares the same table with a real server."""

from typing import Final

TAKEN: Final = (
    *("0 3 * * 1", "*/15 * * * *", "0 0 1 1 *", "30 6-16/4 * * 1-5", "5,10 1,2 * * *", "0 3 * * 0", "0 3 * * 0-6"),
    *("0 3 1 JUL *", "0 3 * jan-Mar *", "0 3 * * SUN", "0 3 * * mon-FRI", "0 3 ? * *", "0 3 * * ?", "0 3 1/5 * *"),
    *("0 3 29 2 *", "0 3 31 * *", "0 3 31 2 1", "05 03 * * *", "+5 3 * * *", "*-7 3 * * *", ",5, 3 * * *"),
    *("  0  3\t* * *  ", "0 3 * * *\n", "*/1 * * * *", "*/100 3 * * *", "0 23 28-31 * *"),
    *("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"),
    *("@every 12h", "@every 1h30m", "@every 1.5h", "@every 0", "@every -5m"),
)
REFUSED: Final = (
    *("0 3 * * 7", "0 3 * * 0-7", "0 3 * * 5-7", "0 3 LW * *", "0 3 L * *", "0 3 15W * *", "0 3 * * 5#2", "0 3 * * 5L"),
    *("0 3 * *", "0 0 3 * * 1", "60 3 * * *", "0 24 * * *", "0 3 0 * *", "0 3 32 * *", "0 3 * 0 *", "0 3 * 13 *"),
    *("0 3 * * fri-mon", "5-1 3 * * *", "*/0 3 * * *", "*/-1 3 * * *", "0 3 * JULY *", "0 3 * * Monday", "0 3 * SUN *"),
    *("1-2-3 3 * * *", "1/2/3 3 * * *", "1- 3 * * *", "1/ 3 * * *", "-1 3 * * *", "1.5 3 * * *", "1_0 3 * * *"),
    *("@reboot", "@Hourly", "@every", "@every 1d", "@every 12", " @daily", "@daily ", "99999999999999999999 3 * * *"),
    *("TZ=UTC 0 3 * * *", "CRON_TZ=Europe/Berlin 0 3 * * *"),
)
NEVER: Final = ("0 3 30 2 *", "0 3 31 2 *", "0 3 31 4,6,9,11 *", "0 3 31 FEB ?", ", 3 * * *", "0 3 30,31 2 *")
"""Schedules that the API server takes and whose time never comes."""
