"""One rank of a group that does several jobs in turn, so that torch is started once for all.

`python ranks.py JOBS.json`, with the environment that torchrun would set. A job trains a rung of a
prepared study; with `stop` the leader gives up at its first finished run, as if it were killed.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from on_ranks import StoppedError, stop_at_a_run

from isoflop.lab.data.prepare import open_data
from isoflop.lab.distributed.group import Group, join_group, leave_group
from isoflop.lab.distributed.together import How, dismiss, follow_rung, leading
from isoflop.lab.engines.placement import Placement
from isoflop.lab.launchers.station import Station
from isoflop.lab.train_rung import train_rung
from isoflop.store.study import Study


def do_job(group: Group, job: Mapping[str, Any]) -> None:
    study = Study.open(job["study"])
    rung, data = study.ladder.rungs[0], open_data(study.ladder, study.path / "data")
    placement = Placement("cpu", study.settings()["precision"])
    how = How(Station(study, data, placement), job["shard"])
    if not group.leads:
        follow_rung(rung, group, how)
        return
    with suppress(StoppedError):
        emit = stop_at_a_run if job["stop"] else lambda event: None
        train_rung(study, rung, data, placement, emit, leading(lambda: group, how))
    dismiss(group)


if __name__ == "__main__":
    torch.set_num_threads(1)
    ranks = join_group(torch.device("cpu"), 0)
    for each in json.loads(Path(sys.argv[1]).read_text()):
        do_job(ranks, each)
    leave_group()
