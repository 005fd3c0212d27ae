"""One rank, as torchrun starts it.

::

    torchrun --nproc-per-node 2 -m isoflop.lab.distributed STUDY RUNG [--shard]

STUDY must be prepared (docs/distributed.md). Rank 0 writes one JSON line per event to standard
output, the events of a worker; exit 0 when the rung is trained, 1 when it failed, 2 when it cannot
be trained so. `--with-parent` ends the process when its standard input does, as a launcher's
processes must.
"""

import argparse
import os
import sys
import threading
from pathlib import Path

from isoflop.store.leases.holding import LEASE_SECONDS


def main() -> int:
    """Train one rung with the other ranks; return the exit status."""
    asked = _parse()
    if asked.with_parent:  # before torch is imported, which takes seconds
        threading.Thread(target=_die_with_parent, daemon=True).start()
    from isoflop.lab.distributed.rank import Asked, train_as_rank

    return train_as_rank(Asked(asked.study, asked.rung, asked.shard, asked.lease_seconds))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="isoflop.lab.distributed", description="One rank.")
    parser.add_argument("study", type=Path, help="prepared study folder")
    parser.add_argument("rung", help="name of the rung to train")
    parser.add_argument("--shard", action="store_true", help="divide the weights (FSDP2)")
    parser.add_argument("--lease-seconds", type=float, default=LEASE_SECONDS)
    parser.add_argument("--with-parent", action="store_true", help="end with standard input")
    return parser.parse_args()


def _die_with_parent() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    # Without the group's teardown, which would wait for ranks that are gone.
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
