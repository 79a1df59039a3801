"""Log files that stay small: old lines go to NAME.0.gz (the newest) to NAME.9.gz, as on Junos.

There are two kinds of file. One's own is renamed and begun anew (`rotate`). A file that a process which
knows nothing of it holds open for appending (`trim`: stderr of a module, the log of a foreign program) is
neither renamed, for the process would go on in the old one, nor copied and truncated, for
what it writes in between would be lost. Its old lines are copied, and then a hole is punched where
they were (fallocate(2)): the kernel takes the pages back, every octet keeps its place, and a
writer at the end of the file never notices. So nothing is lost, and no reader's position changes.
The file's length goes on counting all that was ever written; `du` shows what is kept.

A kill between copying and punching leaves lines that are archived twice. Standard library alone.
"""

from __future__ import annotations

import ctypes
import errno
import gzip
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PUNCH: Final = 0x01 | 0x02
"""FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE."""
HELD: Final = ("*.stderr", "*.log")
"""Log files that processes which know nothing of rotation hold open."""
CHUNK: Final = 256 * 1024
LEFT: Final = 4
"""A trimmed file keeps this part (one in LEFT) of its size: whoever looks wants the newest lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How much is kept of a log."""

    size: int = 1024 * 1024
    """Octets of one file; it may be longer for a second."""
    files: int = 10
    """Old files, compressed."""
    total: int = 256 * 1024 * 1024
    """Octets of all logs and core files together, the oldest go first."""


def archive(path: Path, number: int) -> Path:
    """The compressed predecessor of that number."""
    return path.with_name(f"{path.name}.{number}.gz")


def plain(path: Path) -> Path:
    """The newest predecessor while it is not compressed."""
    return path.with_name(f"{path.name}.0")


def rotate(path: Path, files: int, *, delay: bool = False) -> None:
    """Make the file the newest predecessor; raises OSError. The caller then opens a new one.

    With `delay` the newest one stays uncompressed until the next time: NAME.0, NAME.1.gz, ...
    A kill at any point loses nothing: what is left over is compressed the next time.
    """
    newest = plain(path)
    if newest.exists():
        _make_room(path, files)
        _compress(newest, archive(path, 1 if delay else 0))
    if not delay:
        _make_room(path, files)
    path.replace(newest)
    if not delay:
        _compress(newest, archive(path, 0))


def trim(path: Path, rule: Rule) -> bool:
    """Archive the old lines of a file that others write to; was it too long? Raises OSError.

    OSError with EOPNOTSUPP: this file system has no holes, and nothing was done. A link of either
    kind is left alone: in a folder that others may write to it could lead to any file.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        known = os.fstat(fd)
        if not stat.S_ISREG(known.st_mode) or known.st_nlink != 1:
            return False
        start, end = _data(fd)
        if end - start <= rule.size:
            return False
        _check_holes(fd, end)
        cut = _line_end(fd, start, end - rule.size // LEFT)
        temporary = path.with_name(f"{path.name}.gz.new")
        try:
            with _pack(temporary, 0o600) as packed:
                _copy(fd, packed, start, cut)
            _make_room(path, rule.files)
            temporary.replace(archive(path, 0))
        finally:
            temporary.unlink(missing_ok=True)
        punch_hole(fd, 0, cut)
        return True
    finally:
        os.close(fd)


def begin_anew(folder: Path, patterns: Iterable[str], rule: Rule) -> None:
    """Rotate what is too long or has holes, while nobody writes to any of it; raises OSError."""
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        known = path.lstat()
        holes = known.st_blocks * 512 < known.st_size
        if stat.S_ISREG(known.st_mode) and (known.st_size > rule.size or holes):
            rotate(path, rule.files)


def tail(path: Path, most: int) -> bytes:
    """The last octets of a file, without what was punched out of it; raises OSError."""
    with path.open("rb") as file:
        start, end = _data(file.fileno())
        file.seek(max(start, end - most))
        return file.read().lstrip(b"\0")


def lines(path: Path, number: int | None = None) -> list[bytes]:
    """The lines of a log, or of its predecessor of that number; none when there is no such file."""
    try:
        if number is None:
            return tail(path, 1 << 62).splitlines()
        if number == 0 and plain(path).exists():
            return plain(path).read_bytes().lstrip(b"\0").splitlines()
        with gzip.open(archive(path, number), "rb") as packed:
            return packed.read().splitlines()
    except (OSError, EOFError):
        return []


def punch_hole(fd: int, offset: int, length: int) -> None:
    """Give the octets back to the file system; they read as zeros. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "fallocate64", libc.fallocate)
    if call(fd, PUNCH, ctypes.c_longlong(offset), ctypes.c_longlong(length)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def limit(folders: dict[Path, str], total: int) -> list[Path]:
    """Remove the oldest archives until all files of the folders fit into `total` octets on disk.

    `folders` maps a folder to the pattern of what may go. Answers with what went.
    """
    used, old = 0, []
    for folder, pattern in folders.items():
        if not folder.is_dir():
            continue
        for path in folder.iterdir():
            known = path.lstat()
            used += known.st_blocks * 512
            if path.match(pattern) and stat.S_ISREG(known.st_mode):
                old.append((known.st_mtime_ns, path, known.st_blocks * 512))
    removed: list[Path] = []
    for _, path, size in sorted(old):
        if used <= total:
            break
        path.unlink(missing_ok=True)
        used -= size
        removed.append(path)
    return removed


def _data(fd: int) -> tuple[int, int]:
    """Where the data of a file begins, after what was punched out, and where it ends."""
    end = os.fstat(fd).st_size
    try:
        start = os.lseek(fd, 0, os.SEEK_DATA) if end else 0
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return end, end
    # A hole ends at a block; up to the end of its line the rest of the block was zeroed.
    while start < end:
        block = os.pread(fd, 4096, start)
        rest = block.lstrip(b"\0")
        start += len(block) - len(rest)
        if rest or not block:
            break
    return start, end


def _line_end(fd: int, start: int, end: int) -> int:
    """After the last line that ends before `end`; `end` itself when there is no line at all."""
    position = end
    while position > start:
        size = min(CHUNK, position - start)
        block = os.pread(fd, size, position - size)
        found = block.rfind(b"\n")
        if found >= 0:
            return position - size + found + 1
        position -= size
    return end


def _copy(fd: int, packed: gzip.GzipFile, start: int, end: int) -> None:
    while start < end:
        block = os.pread(fd, min(CHUNK, end - start), start)
        if not block:
            return
        packed.write(block)
        start += len(block)


def _check_holes(fd: int, end: int) -> None:
    """Raise OSError where holes cannot be punched: beyond the end it changes nothing."""
    punch_hole(fd, end + (1 << 20), 4096)


def _make_room(path: Path, files: int) -> None:
    """Count the predecessors up; the oldest goes."""
    for number in range(files - 1, 0, -1):
        try:
            archive(path, number - 1).replace(archive(path, number))
        except FileNotFoundError:
            continue


def _compress(source: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}.new")
    try:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with (
            open(fd, "rb") as file,
            _pack(temporary, stat.S_IMODE(os.fstat(fd).st_mode)) as packed,
        ):
            _copy(fd, packed, *_data(file.fileno()))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    source.unlink()


@contextmanager
def _pack(path: Path, mode: int) -> Iterator[gzip.GzipFile]:
    """A new packed file: never what somebody else has put there."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(fd, "wb") as file, gzip.GzipFile("", "wb", 6, file) as packed:
        yield packed
