"""Messages show only those parts of a database address that cannot be secret, in every spelling."""

import pytest

from ml_workloads.runtime.data import DataError
from ml_workloads.runtime.data.address import HOW_TO_WRITE, parse, secrets, shown

PLANTED = "pl4nted"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql+psycopg://reader:{PLANTED}@db.internal:5432/sales", "postgresql://db.internal/sales"),
        (f"postgresql://reader:{PLANTED}@db.internal/sales?sslmode=require", "postgresql://db.internal/sales"),
        (f"mysql+pymysql://reader:{PLANTED}%40%2F@10.0.0.7/sales", "mysql://10.0.0.7/sales"),
        (f"postgresql://reader:{PLANTED}@[fd00::1]:5432/sales", "postgresql://fd00::1/sales"),
        (f"postgresql://db.internal/sales?user=reader&password={PLANTED}", "postgresql://db.internal/sales"),
        (f"postgresql:///sales?host=/run/pg&password={PLANTED}", "postgresql:///sales"),
        (f"mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3D{PLANTED}", "a mssql database"),
        ("postgresql://postgres:x9@db/postgres", "postgresql://db/postgres"),
        ("sqlite:////home/data/warehouse.db", "sqlite:///warehouse.db"),
        ("sqlite://", "a sqlite database"),
    ],
)
def test_kind_host_and_database_are_shown(url: str, said: str):
    assert shown(url) == said


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:p@{PLANTED}@db/sales",
        f"postgresql://reader:{PLANTED}@{PLANTED}@db/sales",
        f"postgresql://reader:p@{PLANTED}/x@db/sales",
        f"postgresql://reader:p@{PLANTED}:x@db/sales",
        f"postgresql://reader:p@{PLANTED}?x@db/sales",
        f"postgresql://reader:p@{PLANTED}#x@db/sales",
        f"postgresql://reader:p/{PLANTED}@db/sales",
        f"postgresql://reader:#{PLANTED}@db/sales",
        f"postgresql://reader:?{PLANTED}@db/sales",
        f"postgresql://reader:[{PLANTED}@db/sales",
        f"postgresql://{PLANTED}/reader:x@db/sales",
        f"postgresql://reader:x@h1,h2/sales;{PLANTED}",
        f"postgresql://reader:x@db/sales/{PLANTED}",
        f"postgresql://reader:x@db/sales password={PLANTED}",
        f"postgresql://db/sales?password=x@{PLANTED}",
        f"postgresql://reader:{PLANTED}/sales",
        f"postgresql://reader:x@db:{PLANTED}/sales",
        f"host=db password={PLANTED}",
        f"reader:{PLANTED}@db/sales",
        f"{PLANTED}",
        f"postgresql:/reader:{PLANTED}@db/sales",
        f"POSTGRESQL://reader:{PLANTED}@db/sales",
        f"{PLANTED}+x y://db/sales",
        f"postgresql://reader:{PLANTED}@127.0.0.1/{PLANTED}",
        f"postgresql://reader:{PLANTED}@{PLANTED}/sales",
        f"postgresql://reader:{PLANTED.upper()}@db-{PLANTED}.internal/sales",
        f"postgresql://reader:{PLANTED}@db/sales_{PLANTED}_2026",
        f"postgresql://reader:pl4nte%64@db/{PLANTED}",
        f"postgresql://db/{PLANTED}?user=reader&password={PLANTED}",
        f"postgresql://db/{PLANTED}?user=reader&password=pl4nte%64",
        f"sqlite:////home/{PLANTED}.db?key={PLANTED}",
    ],
)
def test_a_piece_of_a_password_that_is_not_escaped_is_not_shown(url: str):
    assert PLANTED not in shown(url)


@pytest.mark.parametrize(
    "url",
    [
        *(f"reader:{PLANTED}@db/sales", f"postgresql://reader:x@db:{PLANTED}/sales", PLANTED, "", None, 7, [PLANTED]),
        f"postgresql://reader:{PLANTED}/sales",
    ],
)
def test_what_is_no_address_is_refused_with_how_to_write_it(url: object):
    with pytest.raises(DataError, match=r"^secret warehouse: its url ") as refused:
        parse("warehouse", url)
    assert HOW_TO_WRITE in str(refused.value)
    assert PLANTED not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_pieces_that_no_message_may_hold_are_known_in_each_way_of_writing():
    found = secrets("postgresql://rea%40der:p%2Fw@db/sales?password=q%20r&sslkey=/k")
    assert {"rea@der", "p/w", "q r", "/k", "q%20r"} <= found
    assert not {"db", "sales", ""} & found
