"""Folders that take long to make and are the same in every run: made once for each state of their sources."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "kept"


@contextmanager
def kept(name: str, sources: Iterable[Path], make: Callable[[Path], None]) -> Iterator[Path]:
    """Give the folder that ``make`` fills, made anew where a source, which is a file, has changed.

    Meanwhile no other process gets or makes this one.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = FOLDER / name
    # It says what the folder was made of as soon as that is whole, and nothing while it is being made.
    with (FOLDER / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        made_of, now = lock.read(), digest(sources)
        if made_of != now or not folder.exists():
            lock.truncate(0)
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir()
            make(folder)
            lock.write(now)
            lock.flush()
        yield folder


def digest(sources: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(sources):
        found.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return found.hexdigest()
