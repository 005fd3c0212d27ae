"""A worker process: trains the rungs it is sent, and dies with its parent.

Started as `python -m isoflop.lab.launchers.worker STUDY`. Reads one JSON line per rung from
standard input, writes one JSON line per event to standard output. End of input means that the
parent is gone or done: the process exits at once, whatever it is doing; what is on disk is
consistent. With `--rung NAME` it trains that rung alone and reads nothing.
"""

import argparse
import json
import os
import queue
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from isoflop.lab.launchers.station import Station, attempt, open_station, train_until_over
from isoflop.store.leases.holding import LEASE_SECONDS
from isoflop.store.leases.lease import Lease, Sighting, claim

_Orders: TypeAlias = "queue.SimpleQueue[Mapping[str, Any]]"


def main() -> int:
    """Train rungs until standard input ends, or the one that is named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m isoflop.lab.launchers.worker")
    parser.add_argument("study", type=Path)
    parser.add_argument("--rung", help="train this rung alone")
    parser.add_argument("--lease-seconds", type=float, default=LEASE_SECONDS)
    given = parser.parse_args()
    if given.rung is not None:
        event = train_until_over(
            open_station(given.study), given.rung, _emit, lease_seconds=given.lease_seconds
        )
        _emit(event)
        return 0 if event["event"] == "done" else 1
    orders: _Orders = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(orders,), daemon=True).start()
    station = open_station(given.study, pinned=True)
    _emit({"event": "ready"})
    while True:
        _emit(_obey(station, orders.get(), given.lease_seconds))


def _obey(station: Station, order: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
    """Train the rung of an order, unless somebody took it since the parent looked."""
    name = order["rung"]

    def take() -> Lease:
        seen = Sighting(order["token"], order["beat"])
        folder = station.study.rung_folder(name)
        return claim(folder, f"rung {name}", seconds=seconds, seen=seen)

    return attempt(station, name, _emit, take)


def _emit(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(dict(event)) + "\n")
    sys.stdout.flush()


def _read_orders(orders: _Orders) -> None:
    for line in sys.stdin:
        orders.put(json.loads(line))
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
