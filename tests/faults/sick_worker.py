"""A worker that falls ill in the middle of the rungs that sick.json names; the tests' own entry."""

import collections
import itertools
import json
import os
import resource
import sys
import time
from pathlib import Path

import torch

from isoflop.lab.launchers import worker
from isoflop.lab.limits.metered import Metered


def poison(trainer: Metered, value: float) -> None:
    state = trainer.optimizer.state()
    state["master"].fill_(value)
    trainer.optimizer.restore(state)


def run_out_of_memory() -> None:
    """Ask the system for more than it may give: torch's own words for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = 1024 * int(Path("/proc/self/statm").read_text().split()[0]) * 4
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, hard))
    try:
        torch.ones(2**32)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def fall_ill(trainer: Metered, sickness: str) -> None:
    if sickness in ("nan", "inf"):
        poison(trainer, float(sickness))
    elif sickness == "MemoryError":
        raise MemoryError
    elif sickness == "RLIMIT_AS":
        run_out_of_memory()
    elif sickness == "abort":
        os.abort()
    elif sickness == "SIGKILL":
        os.kill(os.getpid(), 9)
    elif sickness == "sleep":
        time.sleep(3600)
    elif sickness == "hold":  # no other thread of this process runs any more
        collections.deque(itertools.repeat(None), maxlen=0)


def main() -> int:
    sick = json.loads((Path(sys.argv[1]) / "sick.json").read_text())
    healthy = Metered.advance

    def advance(self, first, last, lr_at, on_steps=lambda steps: None):
        if first > 0:
            fall_ill(self, sick.get(self._rung.name, ""))
        return healthy(self, first, last, lr_at, on_steps)

    Metered.advance = advance
    return worker.main()


if __name__ == "__main__":
    sys.exit(main())
