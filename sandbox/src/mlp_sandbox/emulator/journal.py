"""The journal: every request that may have changed the account's state, on disk before its reply is sent.

The journal contains rejected writes too, because moto sometimes rejects only after it has changed state. Each request
is one line, `<crc32> <json>`, appended and synced. Large bodies are stored beside it, named by their SHA-256. A crash
can tear only the last line, whose reply no caller has seen. Any other unreadable line is damage, and raises an error
instead of being skipped.
"""

import base64
import hashlib
import json
import logging
import os
import secrets
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from mlp_sandbox.emulator.messages import Request

FORMAT = 1
INLINE_LIMIT = 64 * 1024
_log = logging.getLogger(__name__)


class JournalError(Exception):
    """The journal cannot be used; the message names the file and, if known, the line."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One write: the request, its time and outcome, and the seed and keys that reproduce the outcome."""

    sequence: int
    moment: datetime
    seed: str
    name: str
    keys: tuple[str, ...]
    status: int
    request: Request
    blob: str | None
    line: int


class Journal:
    """The journal of one home directory. It has a single writer; the caller holds the lock of the home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.jsonl"
        self._blobs = folder / "bodies"
        self._blobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self.base, self.born = self._origin()
        self._handle: FileIO | None = None
        self._sequence = 0

    def _origin(self) -> tuple[str, datetime]:
        path = self.folder / "origin.json"
        if not path.exists():
            born = datetime.now(UTC).isoformat()
            _write_durably(path, json.dumps({"format": FORMAT, "base": secrets.token_hex(16), "born": born}).encode())
        try:
            origin = json.loads(path.read_text())
            if origin["format"] != FORMAT:
                raise JournalError(
                    f"{path}: format {origin['format']} was written by another version, this one reads {FORMAT}"
                )
            return str(origin["base"]), datetime.fromisoformat(origin["born"])
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{path}: not readable ({error}); the account's identifiers cannot be rebuilt") from None

    def load(self) -> list[Entry]:
        """Read every entry, cut off a torn last line, and prepare for appending.

        Raises:
            JournalError: An entry other than a torn last line cannot be read.
        """
        if not self.path.exists():
            _write_durably(self.path, b"")
        entries: list[Entry] = []
        intact = 0
        with self.path.open("rb") as lines:
            size = os.fstat(lines.fileno()).st_size
            for number, line in enumerate(lines, start=1):
                try:
                    entries.append(self._decode(line, number))
                except JournalError as error:
                    if intact + len(line) < size or line.endswith(b"\n"):
                        raise
                    _log.warning("cut off the last line, torn by a crash before its request was answered: %s", error)
                    break
                intact += len(line)
        self._handle = self.path.open("r+b", buffering=0)
        if intact < size:
            self._handle.truncate(intact)
            os.fsync(self._handle.fileno())
        self._handle.seek(intact)
        self._sequence = entries[-1].sequence if entries else 0
        return entries

    def append(
        self, request: Request, *, moment: datetime, seed: str, name: str, keys: list[str], status: int = 200
    ) -> None:
        """Write an entry to disk and sync it before returning.

        Raises:
            OSError: The entry cannot be written. The journal is truncated to its former length.
        """
        if self._handle is None:
            raise RuntimeError("Journal.append before Journal.load")
        record: dict[str, Any] = {
            "n": self._sequence + 1,
            "t": moment.isoformat(),
            "seed": seed,
            "op": name,
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            **({"keys": keys} if keys else {}),
            **({"status": status} if status >= 400 else {}),
            **self._body(request.body),
        }
        payload = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(payload), payload)
        start = self._handle.tell()
        try:
            written = self._handle.write(line)
            while written < len(line):  # a full disk writes a part first and rejects the rest
                written += self._handle.write(line[written:])
            os.fsync(self._handle.fileno())
        except OSError:
            self._handle.truncate(start)
            raise
        self._sequence += 1

    def complete(self, entry: Entry) -> Request:
        """Return the entry's request with its body. Large bodies are in a file of their own."""
        if entry.blob is None:
            return entry.request
        return replace(entry.request, body=self._load_blob(entry.blob, f"{self.path}, line {entry.line}"))

    def close(self) -> None:
        """Close the file. Nothing is pending, because every append is synced."""
        if self._handle is not None:
            self._handle.close()

    def _body(self, body: bytes) -> dict[str, str]:
        if len(body) > INLINE_LIMIT:
            digest = hashlib.sha256(body).hexdigest()
            blob = self._blobs / digest
            if not blob.exists():
                _write_durably(blob, body)
            return {"blob": digest}
        try:
            return {"text": body.decode("utf-8")}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(body).decode("ascii")}

    def _decode(self, line: bytes, number: int) -> Entry:
        where = f"{self.path}, line {number}"
        checksum, _, payload = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(payload):
            raise JournalError(f"{where}: damaged (its checksum does not match); restore the file or reset the account")
        try:
            record = json.loads(payload)
            return Entry(
                sequence=record["n"],
                moment=datetime.fromisoformat(record["t"]),
                seed=record["seed"],
                name=record["op"],
                keys=tuple(record.get("keys", ())),
                status=record.get("status", 200),
                request=Request(
                    method=record["method"],
                    target=record["target"],
                    headers=tuple((key, value) for key, value in record["headers"]),
                    body=_inline_body(record),
                ),
                blob=record.get("blob"),
                line=number,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(f"{where}: not a journal entry ({type(error).__name__}: {error})") from None

    def _load_blob(self, digest: str, where: str) -> bytes:
        blob = self._blobs / digest
        try:
            body = blob.read_bytes()
        except OSError as error:
            raise JournalError(f"{where}: its body {blob} cannot be read ({error.strerror})") from None
        if hashlib.sha256(body).hexdigest() != digest:
            raise JournalError(f"{where}: its body {blob} is damaged (its SHA-256 does not match its name)")
        return body


def _inline_body(record: dict[str, Any]) -> bytes:
    if "text" in record:
        return str(record["text"]).encode()
    return base64.b64decode(record.get("base64", ""))


def _write_durably(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as handle:
        os.fchmod(handle.fileno(), 0o600)
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
