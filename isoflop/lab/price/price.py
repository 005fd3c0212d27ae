"""What a ladder will cost on this machine, before a FLOP is spent."""

import math
from dataclasses import asdict, dataclass

from isoflop.accounting.params import count_params
from isoflop.lab.data.enough import count_epochs
from isoflop.lab.engines.engine import usual_engine
from isoflop.lab.engines.probe import Probe, default_workers, probe_machine
from isoflop.lab.price.cost import evaluation_flops, ladder_seconds, rung_seconds, training_flops
from isoflop.lab.price.memory import available_bytes, rung_bytes
from isoflop.lab.ready import Text, check_ready
from isoflop.runs.finding import Finding
from isoflop.runs.ladders.ladder import Ladder, Rung, rung_trunks, runs_of
from isoflop.runs.ladders.warmup import check_warmup


@dataclass(frozen=True)
class RungPrice:
    """One rung's price.

    Args:
        name: the rung.
        n_params: total parameters.
        seeds: seeds of every run.
        trunks: models trained from their first step: seeds, times learning rates of a bracket,
            times budgets where the schedule lets them share no trunk.
        n_runs: rows of the run table it will give.
        flops: training FLOPs to the step, all seeds and rates, shared trunk counted once.
        seconds: predicted seconds of one worker.
        epochs: how often its longest run reads the training text; at least so often where a
            tokenizer is yet to be trained, as tokens are no more than bytes.
        memory_bytes: predicted peak of its worker.
        evaluation_flops: of all its models, apart from training; at most so much where a tokenizer
            is yet to be trained.
    """

    name: str
    n_params: int
    seeds: int
    trunks: int
    n_runs: int
    flops: float
    seconds: float
    epochs: float
    memory_bytes: float
    evaluation_flops: float


@dataclass(frozen=True)
class Price:
    """A ladder's price.

    Args:
        rungs: one price a rung.
        n_runs: runs in all.
        flops: training FLOPs in all.
        seconds: predicted wall-clock with `workers` processes.
        workers: processes side by side.
        evaluation_flops: apart from training.
        memory_bytes: predicted peak of the workers together.
        memory_available: what they may take; None where nobody says.
        findings: what will spoil the ladder's law, such as too long a warm-up.
    """

    rungs: tuple[RungPrice, ...]
    n_runs: int
    flops: float
    seconds: float
    workers: int
    evaluation_flops: float
    memory_bytes: float
    memory_available: float | None
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        rungs = [asdict(rung) for rung in self.rungs]
        return {**asdict(self), "rungs": rungs, "findings": [f.to_dict() for f in self.findings]}


def price_ladder(ladder: Ladder, *, device: str = "cpu", probe: Probe | None = None) -> Price:
    """Price a ladder by a short probe of the machine.

    Args:
        ladder: what would be trained.
        device: `cpu` or `cuda`.
        probe: what is known of the machine; measured if not given.

    Raises:
        InputError: the corpus cannot serve, or the device is absent: whatever `run_ladder` would
            refuse.
    """
    workers = probe.workers if probe else default_workers(device)
    text = check_ready(ladder, device=device, workers=workers)
    probe = probe or probe_machine(device)
    rungs = tuple(_price_rung(rung, ladder, probe, text) for rung in ladder.rungs)
    return Price(
        rungs=rungs,
        n_runs=sum(rung.n_runs for rung in rungs),
        flops=sum(rung.flops for rung in rungs),
        seconds=ladder_seconds(ladder, probe.flop_per_s, probe.workers),
        workers=probe.workers,
        evaluation_flops=sum(rung.evaluation_flops for rung in rungs),
        memory_bytes=sum(sorted((r.memory_bytes for r in rungs), reverse=True)[: probe.workers]),
        memory_available=_finite(available_bytes(probe.device)),
        findings=tuple(check_warmup(ladder)),
    )


def _price_rung(rung: Rung, ladder: Ladder, probe: Probe, text: Text) -> RungPrice:
    longest = max(run.n_tokens for run in runs_of(rung, ladder.recipe))
    engine = usual_engine(rung, ladder.recipe, probe.device, probe.precision)
    return RungPrice(
        name=rung.name,
        n_params=count_params(rung.architecture).total,
        seeds=rung.seeds,
        trunks=rung_trunks(rung, ladder.recipe),
        n_runs=rung.members * len(rung.token_budgets),
        flops=training_flops(rung, ladder),
        seconds=rung_seconds(rung, ladder, probe.flop_per_s),
        epochs=count_epochs(longest, text.train, rung.architecture.n_ctx),
        memory_bytes=rung_bytes(rung, ladder.recipe, engine),
        evaluation_flops=evaluation_flops(rung, ladder, text.held_out),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
