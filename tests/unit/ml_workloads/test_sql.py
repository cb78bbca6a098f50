"""Queries in project.yaml: reading statements are accepted as written, with any strings; writing ones are rejected."""

import pytest

from ml_workloads.project.sql import reading_query

READS = {
    "a colon in a string": "SELECT * FROM t WHERE a ~ '^(?:due)'",
    "what looks like a parameter": "SELECT ':none', '%s', 100 % 7, a::text, $1 FROM t WHERE b LIKE '50%'",
    "a semicolon in a string": "SELECT * FROM t WHERE sep = ';'",
    "a semicolon in a name": 'SELECT "a;b", `c;d` FROM t',
    "a semicolon in a comment": "SELECT 1 -- one; only\n/* not; two */",
    "a semicolon in a dollar quote": "SELECT $$it's; here$$, $x$ $$ ; $x$",
    "a comment first": "-- all customers\n/* of all years */ SELECT * FROM t",
    "a comment inside of a comment": "/* /* ; */ */ select 1",
    "a semicolon between the ends of comments": "select /* a /* b */ ; */ 1",
    "three comments in one another": "/*/*/* ; */ ' */*/ SELECT 1 /* a /* b */ 2 */",
    "words and a quote between the ends of comments": "/* was /* old */ it's new; */ SELECT 1",
    "a comment that looks like two": "SELECT 1 /* see /* there */",
    "the end of a comment in a string": "SELECT '/* /*', 1 /* ; */, '*/ ; */'",
    "parentheses": "(SELECT 1) UNION (SELECT 2)",
    "two parentheses": "((SELECT 1))",
    "no spaces": "select*from t",
    "a parenthesis at once": "SELECT(1)",
    "a line break first": "\n  SELECT\n1",
    "with": "WITH x AS (SELECT 1), y AS MATERIALIZED (SELECT 2) SELECT * FROM x, y",
    "with recursion": "with recursive x(n) as (values (1) union all select n + 1 from x) select n from x",
    "values": "VALUES (1, 'a'), (2, 'b')",
    "table": "TABLE t",
    "semicolons at the end": "SELECT 1;;\n-- done",
    "a doubled quote": "SELECT 'it''s; so'",
    "a backslash at the end of a string": r"SELECT * FROM t WHERE a = '\' AND b = ';'",
    "a backslash before a quote": r"SELECT 'it\'s; so'",
    "an escape string": r"SELECT E'it\'s; ''so'' \\' FROM t",
    "columns named as writing": "SELECT t.delete, update, t.into, (update), count(delete) FROM t",
    "a function named as writing": "SELECT (insert('abc', 1, 2, 'x')), (replace(a, 'x', 'y')) FROM t",
    "words of writing in strings": "SELECT '(DELETE FROM t)', ') INSERT INTO t' FROM t",
    "rows locked": "SELECT * FROM t FOR UPDATE",
    "an operator of JSON": "SELECT a #> '{b}', a -> 'c;d', a # 2 FROM t",
}
WRITES = {
    "nothing": ("", "write one SELECT statement"),
    "a comment only": ("-- SELECT 1", "write one SELECT statement"),
    "semicolons only": (" ;; ", "write one SELECT statement"),
    "two": ("SELECT 1; SELECT 2", "write one statement only, these are 2"),
    "two behind a string": ("SELECT ';'; DROP TABLE t", "write one statement only, these are 2"),
    "two behind a comment": ("SELECT 1 /* ; */; DROP TABLE t --", "these are 2"),
    "two behind an operator": ("SELECT 1 # 2; DELETE FROM t", "these are 2"),
    "three behind dollars": ("SELECT $$;$$; SELECT 1; SELECT 2", "these are 3"),
    "insert": ("INSERT INTO t VALUES (1)", "begins with INSERT"),
    "update": ("update t set a = 1", "begins with UPDATE"),
    "a comment before delete": ("/* SELECT */ DELETE FROM t", "begins with DELETE"),
    "explain": ("EXPLAIN ANALYZE SELECT 1", "begins with EXPLAIN"),
    "call": ("CALL p()", "begins with CALL"),
    "delete in with": ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "leave out DELETE"),
    "update in with": ("WITH x AS ( -- now\n UPDATE t SET a = 1 RETURNING a) SELECT * FROM x", "leave out UPDATE"),
    "insert in the second with": (
        "WITH x AS (SELECT 1), y AS NOT MATERIALIZED (insert into t select * from x returning 1) SELECT * FROM y",
        "leave out INTO|leave out INSERT",
    ),
    "with before delete": ("WITH x AS (SELECT 1) DELETE FROM t USING x", "leave out DELETE"),
    "select into": ("SELECT * INTO copied FROM t", "leave out INTO: SELECT INTO writes a table"),
    "select into in lower case": ("select a into temp copied from t", "leave out INTO"),
    "a file": ("SELECT * FROM t INTO OUTFILE '/tmp/t'", "leave out INTO"),
    "an open string": ("SELECT 'abc FROM t", "close the quote"),
    "no statement": ("t", "begins with T"),
    "two behind a comment inside of a comment": ("SELECT 1 /* /* ; */ */; DROP TABLE t", "these are 2"),
    "writing where comments do not nest": ("/* /* */ DELETE FROM t # */ \n SELECT 1", "first \\*/ read DELETE"),
    "a second one where comments do not nest": ("SELECT 1 /* /* */; DROP TABLE t -- */", "first \\*/ read DROP"),
    "a byte order mark": ("\ufeffSELECT 1", r"U\+FEFF, byte order mark"),
    "a byte order mark behind a line": ("\n\ufeff SELECT 1", r"U\+FEFF, byte order mark"),
    "a byte order mark behind a comment": ("-- all\n\ufeffSELECT 1", r"U\+FEFF, byte order mark"),
    "a space of no width": ("\u200bSELECT 1", r"U\+200B, zero width space"),
    "a space that does not break": ("\xa0SELECT 1", r"U\+00A0, no-break space"),
    "a parenthesis": ("(", "begins with"),
}


@pytest.mark.parametrize("query", READS.values(), ids=READS)
def test_what_reads_is_taken_as_written(query: str):
    assert reading_query(query) == query


@pytest.mark.parametrize(("query", "said"), WRITES.values(), ids=WRITES)
def test_what_writes_or_is_not_one_statement_is_refused_with_the_fix(query: str, said: str):
    with pytest.raises(ValueError, match=said):
        reading_query(query)


def test_a_query_that_belongs_in_a_view_is_refused_with_its_length():
    with pytest.raises(ValueError, match="at most 20000 characters, these are 20010; make a view"):
        reading_query("SELECT 1 -" + "-" * 20_000)
