"""Train one rung: the trunk from its last checkpoint, and every branch not yet on disk."""

from collections.abc import Sequence

from isoflop.lab.data.prepare import StudyData
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.engines.engine import read_engine
from isoflop.lab.engines.ensemble import Ensemble
from isoflop.lab.engines.placement import Placement
from isoflop.lab.loop import AnyTrainer
from isoflop.lab.schedule import plan_schedules
from isoflop.lab.trunk import Emit, MakeTrainer, TrunkTraining
from isoflop.runs.ladders.ladder import Recipe, Rung
from isoflop.store.leases.lease import Lease, await_claim
from isoflop.store.study import Study

_PATIENCE_SECONDS = 10.0
"""How long to wait for the worker of a killed session to notice and go."""


def train_rung(
    study: Study,
    rung: Rung,
    data: StudyData,
    placement: Placement,
    emit: Emit,
    make_trainer: MakeTrainer | None = None,
    lease: Lease | None = None,
) -> None:
    """Train what is missing of a rung; returns when all its runs are on disk.

    The checkpoint is written after the trunk's journal, at every point of the learning curve, so
    a kill loses one segment and the resumed run is bit for bit the uninterrupted one.

    Args:
        study: where to write.
        rung: what to train.
        data: its tokens.
        placement: device and precision.
        emit: told of progress (`steps`) and of runs that are over (`run`).
        make_trainer: this process alone trains by default.
        lease: of the rung, given back at the end; claimed here by default.

    Raises:
        HeldError: another process is training this rung, or took it over when this one stood
            still beyond its lease; nothing is written from then on.
    """

    def alone(
        rung: Rung, recipe: Recipe, streams: Sequence[TokenStream], seeds: list[tuple[int, int]]
    ) -> AnyTrainer:
        engine = read_engine(study.settings(), rung, placement.precision)
        return Ensemble(rung, recipe, streams, seeds=seeds, device=placement.device, engine=engine)

    make_trainer = make_trainer or alone
    folder = study.rung_folder(rung.name)
    lease = lease or await_claim(folder, f"rung {rung.name}", patience=_PATIENCE_SECONDS)
    assert lease is not None
    with lease:
        points = study.ladder.evaluation.curve_points_per_doubling
        for schedule in plan_schedules(rung, study.ladder.recipe, points):
            TrunkTraining(study, rung, data, placement, emit, schedule, make_trainer, lease).train()
