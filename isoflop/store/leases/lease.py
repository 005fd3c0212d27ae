"""One trainer a rung: a lease with a heartbeat, and a token that fences off whoever lost it.

`lease.json` in the rung's folder says who holds it, how often it has beaten and under which token.
A claim raises the token; it never falls. Who writes asks first, under a short kernel lock, whether
the token is still its own. A holder is taken to be gone

- at once, if it was a process of this machine that is certainly over (`known_dead`);
- elsewhere when the watcher has seen the same heartbeat for the lease time, counted by the
  watcher's own monotonic clock. No clock of two machines is compared, so none may jump or drift.
"""

import fcntl
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from isoflop.base.errors import HeldError, InputError
from isoflop.store.leases.holding import LEASE_SECONDS, Holding, read_holding, write_holding
from isoflop.store.leases.process import this_process

_BEATS = 4
"""Heartbeats in a lease time."""
_LOOK_SECONDS = 0.1
"""Between two looks at who holds a folder."""
_PATIENCE_SECONDS = 5.0
"""How long a claim waits for the short lock: another claim or one commit holds it."""


@dataclass(frozen=True)
class Sighting:
    """What a watcher saw of a rung that nobody holds any more; a claim checks that it still is so.

    Args:
        token: of the last holder, 0 if there was none.
        beat: its last heartbeat.
    """

    token: int
    beat: int


class Watch:
    """Judges holders by their heartbeats, on the clock of this process alone.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, tuple[str, int, float]] = {}

    def look(self, folder: Path) -> Sighting | None:
        """Return what to claim a folder with, None while somebody holds it.

        Raises:
            InputError: its lease.json is damaged.
        """
        found = read_holding(folder)
        if found.free:
            return Sighting(found.token, found.beat)
        owner, beat, since = self._seen.get(folder, ("", -1, 0.0))
        if (owner, beat) != (found.owner, found.beat):
            self._seen[folder] = (found.owner, found.beat, self._clock())
            return None
        if self._clock() - since < found.seconds:
            return None
        return Sighting(found.token, found.beat)


class Lease:
    """A folder held by this process; beats in the background until it is given back."""

    def __init__(self, folder: Path, what: str, holding: Holding) -> None:
        self._folder, self._what, self._mine = folder, what, holding
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    @property
    def token(self) -> int:
        """The fencing token: larger than that of every earlier holder."""
        return self._mine.token

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Write inside: nobody can take over between the check of the token and the writing.

        Raises:
            HeldError: this process stood still for longer than its lease and was fenced off.
        """
        with _short_lock(self._folder, self._what, patience=None):
            self._check()
            yield

    def close(self) -> None:
        """Give it back; a lease that was lost stays with whoever has it.

        Never an error of its own, which would hide why training ended: on a full or read-only disk
        the lease stays as it is, free when this process is over or its time has passed.
        """
        self._over.set()
        self._thread.join()
        with suppress(HeldError, InputError, OSError), self.guard():
            write_holding(self._folder, replace(self._mine, owner="", process=None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self) -> None:
        found = read_holding(self._folder)
        if (found.token, found.owner) != (self.token, self._mine.owner):
            raise HeldError(
                f"{self._what}: this process stood still beyond its lease and {found.describe()} "
                "took over; nothing more is written here"
            )

    def _beat(self) -> None:
        while not self._over.wait(self._mine.seconds / _BEATS):
            try:
                with self.guard():
                    self._mine = replace(self._mine, beat=self._mine.beat + 1)
                    write_holding(self._folder, self._mine)
            except (HeldError, InputError):  # lost, or damaged: the next guard says so
                return
            except OSError:  # a full disk: beat again later, or lose the lease
                continue


def claim(
    folder: Path, what: str, *, seconds: float = LEASE_SECONDS, seen: Sighting | None = None
) -> Lease:
    """Take a folder that nobody holds, or whose holder `seen` says is gone.

    Args:
        folder: of a rung, created if absent.
        what: named in errors, e.g. "rung d16".
        seconds: lease time, told to the watchers.
        seen: what a `Watch` saw; without it only a holder that is certainly dead is replaced.

    Raises:
        HeldError: somebody holds it; names who.
        InputError: its lease.json is damaged.
    """
    with _short_lock(folder, what, patience=_PATIENCE_SECONDS):
        found = read_holding(folder)
        if not found.free and seen != Sighting(found.token, found.beat):
            raise HeldError(
                f"{what} is being trained by another process ({found.describe()}); "
                "wait for it or stop it"
            )
        mine = Holding(found.token + 1, 0, uuid.uuid4().hex, this_process(), seconds)
        write_holding(folder, mine)
    return Lease(folder, what, mine)


def await_claim(
    folder: Path,
    what: str,
    *,
    seconds: float = LEASE_SECONDS,
    patience: float = math.inf,
    over: Callable[[], bool] = lambda: False,
) -> Lease | None:
    """Wait until nobody holds a folder, then take it; None as soon as there is nothing to do.

    Args:
        folder: of a rung.
        what: named in errors.
        seconds: lease time.
        patience: seconds to wait.
        over: asked before every look whether the rung is done.

    Raises:
        HeldError: it was still held when the patience was over.
    """
    watch, began = Watch(), time.monotonic()
    while not over():
        late = time.monotonic() - began >= patience
        seen = watch.look(folder)
        try:
            if seen is not None or late:
                return claim(folder, what, seconds=seconds, seen=seen)
        except HeldError:
            if late:
                raise
        time.sleep(_LOOK_SECONDS)
    return None


@contextmanager
def _short_lock(folder: Path, what: str, *, patience: float | None) -> Iterator[None]:
    """Hold the kernel lock that claims and commits take turns by; it dies with its holder."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _acquire(descriptor, what, patience)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, what: str, patience: float | None) -> None:
    if patience is None:
        return fcntl.flock(descriptor, fcntl.LOCK_EX)
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                raise HeldError(f"{what} is being written by another process; try again") from None
        time.sleep(0.02)
