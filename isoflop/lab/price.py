"""What a ladder will cost on this machine, before a FLOP is spent."""

from dataclasses import asdict, dataclass

from isoflop.accounting.params import count_params
from isoflop.lab.cost import ladder_seconds, rung_seconds
from isoflop.lab.data.prepare import check_corpus
from isoflop.lab.initial_weights import check_starts
from isoflop.lab.probe import Probe, probe_machine
from isoflop.lab.test_sets import check_test_sets
from isoflop.runs.finding import Finding
from isoflop.runs.ladder import Ladder, rung_flops, rung_trunks
from isoflop.runs.warmup import check_warmup


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
        flops: training FLOPs, all seeds, shared trunk counted once.
        seconds: predicted seconds of one worker.
    """

    name: str
    n_params: int
    seeds: int
    trunks: int
    n_runs: int
    flops: float
    seconds: float


@dataclass(frozen=True)
class Price:
    """A ladder's price.

    Args:
        rungs: one price a rung.
        n_runs: runs in all.
        flops: training FLOPs in all.
        seconds: predicted wall-clock with `workers` processes.
        workers: processes side by side.
        findings: what will spoil the ladder's law, such as too long a warm-up.
    """

    rungs: tuple[RungPrice, ...]
    n_runs: int
    flops: float
    seconds: float
    workers: int
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
    check_corpus(ladder)
    check_test_sets(ladder)
    check_starts(ladder)
    probe = probe or probe_machine(device)
    rungs = tuple(
        RungPrice(
            name=rung.name,
            n_params=count_params(rung.architecture).total,
            seeds=rung.seeds,
            trunks=rung_trunks(rung, ladder.recipe),
            n_runs=rung.members * len(rung.token_budgets),
            flops=rung_flops(rung, ladder.recipe),
            seconds=rung_seconds(rung, ladder, probe.flop_per_s),
        )
        for rung in ladder.rungs
    )
    seconds = ladder_seconds(ladder, probe.flop_per_s, probe.workers)
    n_runs = sum(rung.n_runs for rung in rungs)
    found = tuple(check_warmup(ladder))
    return Price(rungs, n_runs, ladder.flops, seconds, probe.workers, found)
