"""Choose every rung's engine: by rule where it is short, by timing its own steps where it is long.

The candidates of a rung are trained for some steps on made-up tokens, each from the same start. One
is taken instead of the usual engine only if it is clearly faster and its losses agree with
those of float32 models trained eagerly one at a time; what was tried is kept in study.json.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch

from isoflop.lab.data.stream import TokenStream
from isoflop.lab.engines.engine import TOLERANCES, Engine, Steps, usual_engine
from isoflop.lab.engines.ensemble import Ensemble
from isoflop.lab.engines.placement import Precision, settle_threads
from isoflop.lab.engines.probe import Probe
from isoflop.lab.price.cost import rung_seconds, rung_steps
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung
from isoflop.runs.settle import settle_recipe

Packs: TypeAlias = Literal["any", "one"]
"""Into how many packs the models of a rung may be split."""
MEASURED_FROM = 120.0
"""Predicted seconds of a rung from which its engine is measured; each candidate takes about one."""
LEAST_STEPS = 2000
"""Of a rung to be measured: the candidates together take about 60 steps of its models."""
COMPILED_FROM = 7200.0
"""From which torch.compile is tried: on a busy machine it took two minutes to the first step, and
was not faster than four packed bfloat16 models (docs/LOG.md)."""
CLEARLY_FASTER = 1.1
"""Ratio of times below which the usual engine is kept: busy machines move timings by as much."""
_SECONDS = 0.4
_COMPARED = 4
"""Steps over which losses of candidates are compared."""


@dataclass(frozen=True)
class Trial:
    """What one candidate gave.

    Args:
        engine: the candidate.
        step_seconds: of one step of all the rung's models; None if it could not be run.
        first_seconds: to the end of the first step, compilation included.
        deviation: of its losses from those of float32 models trained alone, relative, the largest;
            not a number where either diverged.
        failure: why it could not be run, empty if it could.
    """

    engine: Engine
    step_seconds: float | None
    first_seconds: float = 0.0
    deviation: float = 0.0
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object, as study.json has it."""
        row = {**self.engine.to_dict(), "step_seconds": self.step_seconds}
        if self.failure:
            return {**row, "failure": self.failure}
        deviation = float(f"{self.deviation:.2g}") if np.isfinite(self.deviation) else None
        return {**row, "first_seconds": self.first_seconds, "deviation": deviation}


def choose_engines(
    ladder: Ladder, probe: Probe, precision: Precision, packs: Packs = "any"
) -> dict[str, dict[str, Any]]:
    """Return what study.json says of every rung's engine.

    Args:
        ladder: what will be trained.
        probe: device and rate of the machine.
        precision: asked for, or the machine's.
        packs: `one` where several ranks train a rung, which is then one pack, eager, by rule.

    Returns:
        rung → `precision`, `packs`, `steps`, `chosen` (`rule` or `measured`) and, if measured,
        `tried`: every candidate with its seconds a step and its deviation.
    """
    found = {}
    for rung in ladder.rungs:
        usual = usual_engine(rung, ladder.recipe, probe.device, precision)
        if packs == "one":
            usual = Engine(usual.precision)
        seconds = rung_seconds(rung, ladder, probe.flop_per_s)
        short = seconds < MEASURED_FROM or rung_steps(rung, ladder) < LEAST_STEPS
        if packs == "one" or short:
            found[rung.name] = {**usual.to_dict(), "chosen": "rule"}
        else:
            free = ladder.recipe.precision == "auto"
            others = candidates(rung, usual, probe.device, free=free, seconds=seconds)
            tried = try_engines(rung, ladder.recipe, probe.device, [usual, *others])
            trials = [trial.to_dict() for trial in tried]
            found[rung.name] = {**pick(tried).to_dict(), "chosen": "measured", "tried": trials}
    return found


def candidates(
    rung: Rung, usual: Engine, device: str, *, free: bool, seconds: float
) -> Iterator[Engine]:
    """Yield engines worth trying beside the usual one.

    Args:
        rung: the models.
        usual: by rule.
        device: `cpu` or `cuda`.
        free: whether the type may be chosen.
        seconds: predicted of the rung.
    """
    kinds: list[Steps] = ["compiled"] if seconds >= COMPILED_FROM else []
    if device == "cuda" and not rung.dropout:
        kinds.append("graph")
    yield from (Engine(usual.precision, usual.packs, kind) for kind in kinds)
    if device == "cuda":
        return
    half, double = max(1, usual.packs // 2), min(rung.members, usual.packs * 2)
    for packs in sorted({half, double, min(rung.members, double * 2)} - {usual.packs}):
        yield Engine(usual.precision, packs)
    if free and usual.precision == "bfloat16":
        yield Engine("float32", usual.packs)


def try_engines(rung: Rung, recipe: Recipe, device: str, engines: list[Engine]) -> list[Trial]:
    """Time some engines on one rung, in turns of its own shapes.

    Args:
        rung: the models.
        recipe: batch and optimizer.
        device: `cpu` or `cuda`.
        engines: to try.
    """
    threads, precise = torch.get_num_threads(), torch.get_float32_matmul_precision()
    settle_threads()
    try:
        alone = _build(rung, recipe, device, Engine("float32", rung.members))
        expected = alone.advance(0, _COMPARED, _rate(recipe, rung)).train_loss
        del alone
        return [_try(rung, recipe, device, engine, expected) for engine in engines]
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precise)


def pick(tried: list[Trial]) -> Engine:
    """Return the engine to take: the first tried, unless another is clearly faster and agrees.

    One that could not be run, or does not agree, is left for the fastest that does.

    Args:
        tried: the usual engine first.
    """
    usual = tried[0]
    sound = [trial for trial in tried[1:] if trial.step_seconds and agrees(trial)]
    best = min(sound, key=lambda trial: trial.step_seconds or np.inf, default=None)
    if best is None or not best.step_seconds:
        return usual.engine
    if not usual.step_seconds or not agrees(usual):
        return best.engine
    faster = best.step_seconds * CLEARLY_FASTER < usual.step_seconds
    return best.engine if faster else usual.engine


def agrees(trial: Trial) -> bool:
    """Tell whether a candidate's losses are within the tolerance of its type."""
    return trial.deviation <= TOLERANCES[trial.engine.precision]


def _try(rung: Rung, recipe: Recipe, device: str, engine: Engine, expected: np.ndarray) -> Trial:
    start = time.perf_counter()
    try:
        ensemble = _build(rung, recipe, device, engine)
        rate = _rate(recipe, rung)
        first = ensemble.advance(0, 1, rate)
        seconds_to_first = time.perf_counter() - start
        rest = ensemble.advance(1, _COMPARED, rate)
        loss = (first.train_loss + rest.train_loss * (_COMPARED - 1)) / _COMPARED
        return Trial(
            engine,
            _time(ensemble, rate, device),
            round(seconds_to_first, 3),
            float(np.max(np.abs(loss / expected - 1))),
        )
    except Exception as error:  # a compiler or a driver may fail in any way: the others serve
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Trial(engine, None, failure=line[:200])


def _time(ensemble: Ensemble, rate: Any, device: str) -> float:
    """Seconds a step, the best of several; process time on a CPU: busy answers nearly like idle."""
    clock = time.perf_counter if device == "cuda" else time.process_time
    step, best, until = _COMPARED, np.inf, time.perf_counter() + 2 * _SECONDS
    spent = 0.0
    while spent == 0 or (spent < _SECONDS and time.perf_counter() < until):
        start = clock()
        ensemble.advance(step, step + 4, rate)  # its losses are fetched: a GPU has caught up
        took = max(clock() - start, 1e-9)
        best, step, spent = min(best, took / 4), step + 4, spent + took
    return round(float(best), 7)


def _build(rung: Rung, recipe: Recipe, device: str, engine: Engine) -> Ensemble:
    architecture, batch = rung.architecture, settle_recipe(recipe, rung).batch_tokens
    length = batch * 64 + 1
    text = np.random.default_rng(0).integers(0, architecture.n_vocab, length).astype(np.uint16)
    seeds = [(0, member) for member in range(rung.members)]
    streams = [TokenStream(text, architecture.n_ctx, (*seed, 0)) for seed in seeds]
    return Ensemble(rung, recipe, streams, seeds=seeds, device=device, engine=engine)


def _rate(recipe: Recipe, rung: Rung) -> Any:
    lr = settle_recipe(recipe, rung).lr
    return lambda step: lr
