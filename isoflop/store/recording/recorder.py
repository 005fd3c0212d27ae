"""The one writer of a recorded run: the journals of the lab's own runs, without the lab.

::

    RUN/columns.json     what the run is, committed when recording begins
    RUN/journal.jsonl    a line a logged row
    RUN/run.json         its row of the run table, committed by `finish`
    RUN/lock             held while a process records

A run is over if and only if `run.json` exists; killed at any moment, it keeps every row whose
`log` returned. Neither NumPy nor a framework is imported.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, IsoflopError
from isoflop.store.document import FORMAT
from isoflop.store.journal import Journal, format_line, read_journal
from isoflop.store.leases.lock import exclusive
from isoflop.store.recording.columns import IS_OVER, is_over, read_columns
from isoflop.store.recording.values import Value, check_columns, check_count, check_value


class Recorder:
    """The one writer of a run; made by `record`.

    Args:
        folder: the run's folder.
        journal: its open journal.
        held: what to let go of when it closes.
    """

    def __init__(self, folder: Path, journal: Journal, held: ExitStack) -> None:
        self.folder = folder
        self._journal, self._held, self._open = journal, held, True
        self._was_over = is_over(folder)
        self._read()

    @property
    def last(self) -> Mapping[str, Any] | None:
        """The last whole row of the journal, None before the first."""
        return self._last

    def log(self, *, step: int, n_tokens: int, loss: float, **values: Value) -> None:
        """Append one row; on return it survives the death of the process and of the machine.

        Args:
            step: optimiser steps taken, more than in the row before.
            n_tokens: tokens seen, no fewer than in the row before.
            loss: held-out loss in the run's loss_unit; NaN or infinite marks the run diverged.
            values: whatever else was measured, such as `train_loss`.

        Raises:
            InputError: a value of the wrong kind, negative, behind the row before, or of a run
                that is over.
            IsoflopError: the recorder is closed, or the disk refused.
        """
        self._demand_open()
        row = {
            "phase": "trunk",
            "step": check_count("step", step),
            "tokens": check_count("n_tokens", n_tokens),
            "loss": check_value("loss", loss, number=True),
        }
        for name, value in values.items():
            if name in {*row, "crc"}:
                raise InputError(f"`{name}` is a word of the journal's own; log it as another")
            row[name] = check_value(name, value)
        self._demand_ahead(row)
        try:
            self._journal.append(row)
        except OSError as error:
            self.close()  # never append to a line that may be torn
            raise IsoflopError(
                f"{self._journal.path}: row of step {row['step']} not written ({error.strerror}); "
                "make room and record again with resume=True"
            ) from None
        self._note(row)

    def rewind(self, step: int) -> None:
        """Cut the rows after a step, for a loop that resumes from an older checkpoint.

        Raises:
            InputError: no step.
            IsoflopError: the recorder is closed.
        """
        self._demand_open()
        limit = check_count("step", step)
        kept = [r for r in read_journal(self._journal.path).records if r["step"] <= limit]
        os.truncate(self._journal.path, sum(len(format_line(r)) for r in kept))
        self._read()

    def finish(self, *, loss: float | None = None, **columns: Value) -> None:
        """Commit the run's row of the run table; from then on it is over.

        May be called after the `with` block too.

        Args:
            loss: final held-out loss; that of the last row if left out.
            columns: more of them, such as `flops`; `n_tokens` and `steps` are the last row's.

        Raises:
            InputError: nothing logged, over already, or a column of the wrong kind.
            IsoflopError: another process is recording it, or the disk refused.
        """
        if self._was_over:
            self.close()
            return
        given = check_columns(columns)
        final = None if loss is None else check_value("loss", loss, number=True)
        with naming_folder(self.folder), self._writing():
            if is_over(self.folder):
                raise InputError(f"{self.folder}: the run is over already")
            if self._last is None:
                raise InputError(f"{self.folder}: nothing was logged; log a row before finish")
            if loss is None:
                final = self._last["loss"]
            elif final is None and self._diverged is None:
                self._diverged = self._last["step"]
            row = {
                **read_columns(self.folder),
                "n_tokens": self._last["tokens"],
                "steps": self._last["step"],
                **given,
                "loss": final,
            }
            self._commit(row)
        self.close()

    def close(self) -> None:
        """Let go of the run; it stays unfinished unless `finish` was called."""
        self._open = False
        with contextlib.suppress(OSError):  # a full disk has been reported already
            self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> None:
        self._last: Mapping[str, Any] | None = None
        self._diverged: int | None = None
        for row in read_journal(self._journal.path).records:
            self._note(row)

    def _note(self, row: Mapping[str, Any]) -> None:
        self._last = row
        if row["loss"] is None and self._diverged is None:
            self._diverged = row["step"]

    def _demand_open(self) -> None:
        if is_over(self.folder):
            raise InputError(f"{self.folder}: {IS_OVER}")
        if not self._open:
            raise IsoflopError(f"{self.folder}: closed; record it again with resume=True")

    def _demand_ahead(self, row: Mapping[str, Any]) -> None:
        last = self._last
        if last and (row["step"] <= last["step"] or row["tokens"] < last["tokens"]):
            raise InputError(
                f"step {row['step']} at {row['tokens']} tokens does not follow step "
                f"{last['step']} at {last['tokens']}; rewind(step) cuts the rows after a checkpoint"
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the run, taken again if the recorder was closed."""
        if self._open:
            yield
            return
        with exclusive(self.folder / "lock", f"run {self.folder}"), Journal(self._journal.path):
            seen = self._last
            self._read()
            if self._last != seen and not is_over(self.folder):
                raise IsoflopError(f"{self.folder}: another process has recorded rows since")
            yield

    def _commit(self, row: Mapping[str, Any]) -> None:
        payload = self._journal.path.read_bytes()
        document = {
            "format": FORMAT,
            "run": self.folder.name,
            **row,
            "status": "finished" if self._diverged is None else "diverged",
            "diverged_step": self._diverged,
            "journal_sha256": hashlib.sha256(payload).hexdigest(),
        }
        write_atomic(self.folder / "run.json", strict_json.dumps(document, indent=1) + "\n")


@contextlib.contextmanager
def naming_folder(folder: Path) -> Iterator[None]:
    """Turn what the system refuses into one line that names the folder."""
    try:
        yield
    except OSError as error:
        raise IsoflopError(
            f"{error.filename or folder}: cannot be written ({error.strerror}); "
            "check the folder's rights and room"
        ) from None
