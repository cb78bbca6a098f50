"""Files of a working tree: tracked files, and new files that git does not ignore.

Git is queried once per folder and process. Contents are read from the working tree when needed. In a folder without a
git repository, such as an unpacked release, all files count except hidden ones and compiled Python.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

FILE, PROGRAM, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
"""File modes as git writes them: https://git-scm.com/docs/gitdatamodel#tree"""

_NEW: Final = ""
_COMPILED: Final = "__pycache__"
# fsmonitor would start a program that the repository's configuration names.
_GIT: Final = ("git", "-c", "core.fsmonitor=false")


class SourceError(ValueError):
    """Error: the image cannot be built from the local files. The message names the file and the fix."""

    is_for_people = True
    """`mlp` shows the message without a traceback."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Entries below a folder with their modes in git's index; new files have none.

    `sparse` contains tracked files that a sparse checkout leaves out. `modes` and `links` are true if the file system
    keeps executable bits and symbolic links (core.fileMode, core.symlinks).
    """

    entries: Mapping[PurePosixPath, str]
    sparse: frozenset[PurePosixPath] = frozenset()
    modes: bool = True
    links: bool = True


def files_below(root: Path, path: PurePosixPath) -> dict[PurePosixPath, str]:
    """Return the files at or below `path`, each with its mode: FILE, PROGRAM or LINK.

    Paths are relative to `root`.

    Raises:
        SourceError: a tracked file was never checked out, or the file system does not show it.
    """
    try:
        known = listing(root)
        return dict(_walked(root, path)) if known is None else _listed(root, path, known)
    except OSError as error:
        raise unreadable(error, root / path) from None


def unreadable(error: OSError, file: Path) -> SourceError:
    """Return the error that names the unreadable file: `error.filename` if set, otherwise `file`."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(file)
    return SourceError(f"{name} cannot be read: {error.strerror}; an image is made of it, so make it readable")


def _listed(root: Path, path: PurePosixPath, known: Listing) -> dict[PurePosixPath, str]:
    found: dict[PurePosixPath, str] = {}
    # If a link replaces a folder, git still lists the files it tracks in the folder.
    behind_links = _behind_links(root)
    for each, recorded in known.entries.items():
        if not each.is_relative_to(path) or behind_links(each.parent):
            continue
        if recorded == SUBMODULE and not (root / each).is_symlink():
            found |= _of_submodule(root, each)
        elif mode := _mode(root / each, recorded, known):
            found[each] = mode
        elif each in known.sparse:
            raise SourceError(f"{each} is left out by a sparse checkout; run `git sparse-checkout add {each.parent}`")
    return found


def _behind_links(root: Path) -> Callable[[PurePosixPath], bool]:
    """Return a function that tells whether a folder, or one of its parents below the root, is a link."""

    @cache
    def behind(folder: PurePosixPath) -> bool:
        return bool(folder.parts) and ((root / folder).is_symlink() or behind(folder.parent))

    return behind


@cache
def listing(root: Path) -> Listing | None:
    """Return git's listing of a folder; None if the folder is in no git repository or git tracks nothing of it.

    Raises:
        SourceError: git fails, or git is not installed although the folder is a clone.
    """
    if shutil.which("git") is None:
        if any((folder / ".git").exists() for folder in (root, *root.parents)):
            raise SourceError(f"git is not on PATH, and only git knows which files of {root} count; install it")
        return None
    listed = _git(root, "ls-files", "-t", "-z", "--stage", "--cached", "--others", "--exclude-standard")
    if listed is None:
        return None
    lines = [os.fsdecode(each) for each in listed.split(b"\0") if each]
    entries, sparse = _parsed(lines)
    if all(line.startswith("? ") for line in lines) and _is_foreign(root, bool(entries)):
        return None
    settings = _git(root, "config", "--type=bool", "--get-regexp", r"^core\.(filemode|symlinks)$") or b""
    told = dict(line.split() for line in settings.decode().lower().splitlines())
    return Listing(
        entries=entries,
        sparse=sparse,
        modes=told.get("core.filemode") != "false",
        links=told.get("core.symlinks") != "false",
    )


def _is_foreign(root: Path, seen: bool) -> bool:
    """Return whether the repository is unrelated to the folder, such as one in which a release was unpacked.

    The caller has checked that the repository tracks nothing below the folder. The repository belongs to the folder if
    its top level is the folder, or if it is new, tracks nothing at all and does not ignore the folder.
    """
    if not (_git(root, "rev-parse", "--show-prefix") or b"").strip():
        return False
    return not seen or bool(_git(root, "ls-files", "-z", ":/"))


def _parsed(lines: Iterable[str]) -> tuple[dict[PurePosixPath, str], frozenset[PurePosixPath]]:
    """Parse the output of `git ls-files`.

    Lines are `H 100644 <object> 0<tab><path>` for tracked files, with S in place of H for sparse ones, and `? <path>`
    for new files. https://git-scm.com/docs/git-ls-files
    """
    entries: dict[PurePosixPath, str] = {}
    sparse: set[PurePosixPath] = set()
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "?":
            path, mode = PurePosixPath(rest), SUBMODULE if rest.endswith("/") else _NEW
            if mode == _NEW and _is_compiled(path):
                continue
        else:
            recorded, _, name = rest.partition("\t")
            path, mode = PurePosixPath(name), recorded.split(" ")[0]
        entries[path] = mode
        if kind == "S":
            sparse.add(path)
    return entries, frozenset(sparse)


def _mode(file: Path, recorded: str, known: Listing) -> str | None:
    """Return the mode in the working tree, or git's mode if the file system keeps none; None if it is not a file."""
    try:
        found = file.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(found):
        return LINK
    if not stat.S_ISREG(found):
        return None
    if recorded == LINK and not known.links:
        return LINK
    if not known.modes:
        return recorded if recorded in (FILE, PROGRAM) else FILE
    return _of_bits(found)


def _of_bits(found: int) -> str:
    """Return the mode for permission bits. Like git, it uses only the owner's bit: the umask changes the others."""
    return PROGRAM if found & stat.S_IXUSR else FILE


def _of_submodule(root: Path, path: PurePosixPath) -> dict[PurePosixPath, str]:
    if not (root / path / ".git").exists():
        raise SourceError(f"{path} is a submodule without files; run `git submodule update --init {path}`")
    return {path / each: mode for each, mode in files_below(root / path, PurePosixPath()).items()}


def _walked(root: Path, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    start = root / path
    for each in [start] if start.is_file() or start.is_symlink() else start.rglob("*"):
        below = PurePosixPath(each.relative_to(start).as_posix())
        if any(part.startswith(".") for part in below.parts) or _is_compiled(below):
            continue
        found = each.lstat().st_mode
        if stat.S_ISLNK(found):
            yield path / below, LINK
        elif stat.S_ISREG(found):
            yield path / below, _of_bits(found)


def _is_compiled(path: PurePosixPath) -> bool:
    return _COMPILED in path.parts or path.suffix == ".pyc"


def _git(root: Path, *arguments: str) -> bytes | None:
    """Run git and return its standard output; None if there is no repository or git finds nothing.

    GIT_* variables are removed: git sets variables such as GIT_DIR for its hooks, and they would select another
    repository.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603 - arguments are those of this file
        [*_GIT, *arguments], cwd=root, env=environment, capture_output=True, check=False
    )
    said = os.fsdecode(done.stderr).strip()
    if done.returncode == 0:
        return done.stdout
    if "not a git repository" in said or (done.returncode == 1 and not said):
        return None
    raise SourceError(f"`git {arguments[0]}` in {root} ended with exit code {done.returncode}: {said}")
