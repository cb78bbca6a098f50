"""Check that a text is one SQL statement that only reads. The text is not changed: the database gets it as written.

Databases differ in the meaning of a backslash in a string and of a #. A text is parsed as in the SQL standard; if a
quote stays open in that reading, it is parsed as MySQL does. They also differ in comments: PostgreSQL nests comments,
MySQL ends a comment at the first */. A text must not write in either reading.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
https://dev.mysql.com/doc/refman/8.4/en/string-literals.html
https://dev.mysql.com/doc/refman/8.4/en/comments.html
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Protocol

import sqlparse.keywords
import sqlparse.tokens
from sqlparse.lexer import Lexer

# sqlparse has no types.
keywords: Any = sqlparse.keywords
tokens: Any = sqlparse.tokens

READING: Final = ("SELECT", "WITH", "VALUES", "TABLE")
_WRITING: Final[Mapping[str, Callable[[str], bool]]] = {
    "INSERT": lambda following: following == "INTO",
    "MERGE": lambda following: following == "INTO",
    "DELETE": lambda following: following == "FROM",
    "UPDATE": lambda following: following not in {"(", ")", ",", ".", ""},
}
_OPEN: Final = {"'", '"', "`"}
_ESCAPED: Final = r"'(''|\\[\s\S]|[^'\\])*'"
MAX_CHARACTERS: Final = 20_000
"""Maximum length of a query. The tokenizer's time grows with the square of the length of a text that consists of
comments. A query of this length belongs in a view."""
_SPACES: Final = " \t\r\n\f\v"
_COMMENT_MARKS: Final = re.compile(r"/\*|\*/")
# Words that begin a statement which changes something, as far as they could follow the end of a comment.
_CHANGING: Final = frozenset(
    {
        *("ALTER", "CALL", "COPY", "CREATE", "DELETE", "DO", "DROP", "EXEC", "EXECUTE", "GRANT", "INSERT", "LOAD"),
        *("MERGE", "REPLACE", "REVOKE", "SET", "TRUNCATE", "UPDATE"),
    }
)
_Rules = list[tuple[str, Any]]
_Token = tuple[Any, str]


class _Lexer(Protocol):
    def get_tokens(self, text: str) -> Iterator[_Token]: ...


def reading_query(text: str) -> str:
    """Validate a query and return it unchanged.

    Raises:
        ValueError: the text is no statement, more than one, or one that writes. The message says what to write.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"write at most {MAX_CHARACTERS} characters, these are {len(text)}; make a view of it")
    _refuse_invisible(text.lstrip(_SPACES)[:1])
    statements = _statements(text)
    if not statements:
        raise ValueError("write one SELECT statement")
    if len(statements) > 1:
        raise ValueError(f"write one statement only, these are {len(statements)}; a comment begins with --")
    (words,) = statements
    first = next((word for word in words if word != "("), "")
    if first not in READING:
        _refuse_invisible(first[:1])
        raise ValueError(f"write one SELECT statement; this one begins with {first[:20] or '('}")
    writing = next(_writing(words), None)
    if writing == "INTO":
        raise ValueError("leave out INTO: SELECT INTO writes a table, and this statement may only read")
    if writing:
        raise ValueError(f"leave out {writing}: this statement may only read, also inside WITH")
    if hidden := _behind_inner_comments(text):
        raise ValueError(
            f"leave out the comment inside of a comment: databases that end a comment at the first */ read {hidden}"
        )
    return text


def _refuse_invisible(character: str) -> None:
    if character and not character.isascii() and (character.isspace() or unicodedata.category(character) == "Cf"):
        name = "byte order mark" if character == "\ufeff" else unicodedata.name(character, "no name").lower()
        raise ValueError(
            f"leave out the character before SELECT that cannot be seen: U+{ord(character):04X}, {name}; save the "
            "file as UTF-8 without a byte order mark, or type the line anew"
        )


def _behind_inner_comments(text: str) -> str | None:
    """Return a word that writes if a comment ends at the first */, or None if there is none."""
    nesting = [value for kind, value in _nesting(text) if not _is_space(kind)]
    flat = [(kind, value) for kind, value in _STANDARD.get_tokens(text) if not _is_space(kind)]
    if nesting == [value for _, value in flat]:
        return None
    for words in _split(flat):
        first = next((word for word in words if word != "("), "")
        if first in _CHANGING:
            return first
        if first in READING and (writing := next(_writing(words), None)):
            return writing
    return None


def _statements(text: str) -> list[list[str]]:
    """Return each statement as its words, in upper case and without comments. An empty text has no statements."""
    for read in (_nesting, _STANDARD.get_tokens, _MYSQL.get_tokens):
        found = [(kind, value) for kind, value in read(text) if not _is_space(kind)]
        if all(value not in _OPEN for _, value in found):
            return list(_split(found))
    raise ValueError("close the quote that is open at the end of the statement")


def _nesting(text: str) -> Iterator[_Token]:
    """Tokenize with nested comments: an inner comment is part of the outer one, as long as each of them ends."""
    end: int | None = 0
    while end is not None:
        text, position, end = text[end:], 0, None
        closed = True
        for kind, value in _STANDARD.get_tokens(text):
            yield kind, value
            if closed and kind in tokens.Comment.Multiline and "/*" in value[2:]:
                end = _end_of_comment(text, position)
                if end is not None:
                    break
                closed = False
            position += len(value)


def _end_of_comment(text: str, start: int) -> int | None:
    depth = 0
    for mark in _COMMENT_MARKS.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return None


def _split(found: Sequence[tuple[Any, str]]) -> Iterator[list[str]]:
    statement: list[str] = []
    for kind, value in (*found, (tokens.Punctuation, ";")):
        if kind is tokens.Punctuation and value == ";":
            if statement:
                yield statement
            statement = []
        else:
            statement.append(value.upper())


def _writing(words: Sequence[str]) -> Iterator[str]:
    """Yield the words by which a statement writes: at its beginning, inside parentheses and after them."""
    for before, (word, following) in zip(("(", *words), pairwise((*words, "")), strict=False):
        if word == "INTO" and before != ".":
            yield word
        if before in "()" and word in _WRITING and _WRITING[word](following):
            yield word


def _is_space(kind: Any) -> bool:
    return kind in tokens.Whitespace or kind in tokens.Comment


def _lexer(own: _Rules) -> _Lexer:
    """Return sqlparse's lexer with other rules for strings and for comments up to the end of a line."""
    replaced = (tokens.String.Single, tokens.Comment.Single, tokens.Comment.Single.Hint)
    lexer: Any = Lexer()
    lexer.clear()
    lexer.set_SQL_REGEX([*own, *(rule for rule in keywords.SQL_REGEX if rule[1] not in replaced)])
    return lexer


_STANDARD: Final = _lexer(
    [
        (r"--[^\r\n]*", tokens.Comment.Single),
        (rf"E{_ESCAPED}", tokens.String.Single),
        (r"'(''|[^'])*'", tokens.String.Single),
        (r'"(""|[^"])*"', tokens.String.Symbol),
    ]
)
_MYSQL: Final = _lexer(
    [
        (r"(--|#)[^\r\n]*", tokens.Comment.Single),
        (_ESCAPED, tokens.String.Single),
        (r'"(""|\\[\s\S]|[^"\\])*"', tokens.String.Symbol),
    ]
)
