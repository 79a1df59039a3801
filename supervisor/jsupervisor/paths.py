"""Where an instance keeps its files and sockets, and how to tell that it is dead.

Files live under a home that may have any length; a socket path has 107 bytes at most, so sockets
live in a short private folder that is linked from the home. A lock held by init for its whole life
is the only proof of life: whoever can take it may remove what the dead instance left.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")


PLAIN: Final = "plain"
"""A module's socket for health and reflection."""
RPC: Final = "rpc"
"""A module's socket for everything else."""


class PathError(Exception):
    """An instance's folder cannot be used; the text says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The folders of one instance. Making one touches nothing on disk."""

    name: str
    home: Path
    run_dir: Path

    @property
    def lock_path(self) -> Path:
        """The file that init keeps locked while it lives."""
        return self.home / "lock"

    @property
    def init_socket(self) -> Path:
        """init's SEQPACKET socket."""
        return self.run_dir / "init.sock"

    @property
    def log_dir(self) -> Path:
        """Log files of all modules."""
        return self.home / "log"

    @property
    def config_dir(self) -> Path:
        """mgd's committed configuration."""
        return self.home / "config"

    @property
    def crash_dir(self) -> Path:
        """Core files."""
        return self.home / "crash"

    @property
    def journal(self) -> Path:
        """jlaunchd's event history, one JSON record a line."""
        return self.home / "journal.jsonl"

    def socket(self, module: str) -> Path:
        """The module's plain socket (health, reflection)."""
        return Path(socket_path(self.run_dir, module, PLAIN))

    def rpc_socket(self, module: str) -> Path:
        """The module's socket for everything else."""
        return Path(socket_path(self.run_dir, module, RPC))

    def make(self) -> None:
        """Create the folders; raises PathError. The caller must hold the lock."""
        try:
            for folder in (self.home, self.log_dir, self.config_dir, self.crash_dir):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run_dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _require_private(self.run_dir.parent)
            self.run_dir.mkdir(mode=0o700, exist_ok=True)
            _require_private(self.run_dir)
            link = self.home / "run"
            if link.is_symlink() or link.exists():
                link.unlink()
            link.symlink_to(self.run_dir)
        except OSError as error:
            raise PathError(f"cannot make {error.filename}: {error.strerror}") from error

    def lock(self) -> int | None:
        """Take the instance's lock: an open descriptor, or None when a live init holds it.

        Raises PathError when the lock file cannot be made.
        """
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PathError(f"cannot make {error.filename}: {error.strerror}") from error
        while not _flock(fd, fcntl.LOCK_EX):
            # Somebody in `alive` holds it shared for a moment; an init holds it alone.
            if not _flock(fd, fcntl.LOCK_SH):
                os.close(fd)
                return None
        return fd

    def alive(self) -> bool:
        """Does an init hold the lock? Raises PathError when the lock cannot be opened."""
        try:
            fd = os.open(self.lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise PathError(f"cannot open {error.filename}: {error.strerror}") from error
        try:
            return not _flock(fd, fcntl.LOCK_SH)
        finally:
            os.close(fd)

    def sweep(self) -> bool:
        """Remove what a dead instance left in the run folder; was there anything?

        The caller must hold the lock. Logs and configuration stay.
        """
        if not self.run_dir.is_dir() or self.run_dir.is_symlink():
            return False
        import shutil  # its compressors make it slow to import, and only a sweep needs it

        from jsupervisor.containment import cgroups
        from jsupervisor.links import remove_noted

        cgroups.remove_noted(str(self.run_dir))
        remove_noted(self.run_dir)
        shutil.rmtree(self.run_dir, ignore_errors=True)
        (self.home / "run").unlink(missing_ok=True)
        return True


def module_folder(run_dir: str | Path, module: str) -> str:
    """The folder of a module's sockets."""
    return os.path.join(run_dir, module)


def socket_path(run_dir: str | Path, module: str, kind: str, incarnation: int | None = None) -> str:
    """A module's socket, PLAIN or RPC: the stable name, or the file of one incarnation."""
    file = f"{kind}.sock" if incarnation is None else f"{kind}.{incarnation}.sock"
    return os.path.join(module_folder(run_dir, module), file)


def make_module_folder(run_dir: str | Path, module: str) -> None:
    """Make the folder of a module's sockets, for its owner alone; raises OSError or PathError.

    A predecessor's is used again, with the owner and mode that it has; a link is not followed.
    """
    folder = module_folder(run_dir, module)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise PathError(f"cannot use {folder}: it is not a folder; remove it") from None


def home_of_all() -> Path:
    """The folder that holds every instance: $JSUPERVISOR_HOME, else under XDG's state folder."""
    if home := os.environ.get("JSUPERVISOR_HOME"):
        return Path(home).absolute()
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state).absolute() / "jsupervisor"


def instance(name: str, home: Path | None = None) -> Instance:
    """The instance called `name`; raises PathError for a name that could not be a file name."""
    if not NAME_PATTERN.fullmatch(name):
        raise PathError(
            f"cannot use {name!r} as an instance name:"
            " lower-case letters, digits, '_', '.' and '-', 32 at most"
        )
    folder = (home or home_of_all()) / name
    return Instance(name, folder, _run_root() / _key(folder))


def instances(home: Path | None = None) -> list[Instance]:
    """All instances under the home, live or dead, by name."""
    root = home or home_of_all()
    if not root.is_dir():
        return []
    names = sorted(path.name for path in root.iterdir() if (path / "lock").exists())
    return [instance(name, root) for name in names if NAME_PATTERN.fullmatch(name)]


def _flock(fd: int, kind: int) -> bool:
    """Take a lock without waiting; is it ours?"""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run_root() -> Path:
    """A short folder of this user: a socket's path must fit into 107 bytes."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and len(runtime) <= 50 and os.path.isdir(runtime) and os.access(runtime, os.W_OK):
        return Path(runtime) / "jsup"
    return Path("/tmp") / f"jsup-{os.getuid()}"


def _key(folder: Path) -> str:
    import hashlib  # it loads OpenSSL, and init, which has no use for it, imports this module

    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def _require_private(folder: Path) -> None:
    """Refuse a folder that another user made or may write to, or a link to elsewhere."""
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PathError(f"cannot use {folder}: it is not a folder of uid {os.getuid()}; remove it")
    if stat.S_IMODE(status.st_mode) & 0o077:
        os.chmod(folder, 0o700)
