"""How long a rung will take: a line through measured steps.

seconds = steps·(overhead of a step) + tokens·(elementwise cost) + FLOPs/(share of the probe's
rate). Fitted to steps of widths 8 to 128, 1 to 4 packed models, batches of 256 and 512 tokens;
docs/tour-design.md has the numbers. Only the order of rungs, the tour's level and the first
minute's ETA rest on it: after that the ETA follows the steps taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isoflop.accounting.families import Model
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.transformer import Transformer
from isoflop.lab.data.stream import count_windows
from isoflop.lab.measures.noise_scale import GROUPS
from isoflop.lab.price.makespan import makespan
from isoflop.lab.schedule import plan_schedules
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Rung
from isoflop.runs.ladders.shapes import family_name
from isoflop.runs.settle import settle_recipe


@dataclass(frozen=True)
class Overhead:
    """What a step of one family costs besides its matrix products, seconds on a CPU.

    Args:
        step: Python and kernel launches of one step.
        token: elementwise work per token and layer.
        place: of a recurrence, per model, layer and position of the context, whatever the batch.
    """

    step: float
    token: float
    place: float = 0.0


OVERHEADS: Mapping[str, Overhead] = {
    "transformer": Overhead(2.0e-3, 2.2e-6),
    "lstm": Overhead(8e-4, 7e-7, 9.4e-6),
    "conv": Overhead(1.3e-3, 7e-7),
}
"""By family. Those of LSTMs and convolutions (full and separable) are from 43 steps of widths 16 to
128, 1 and 4 models, batches 256 and 1,024, bfloat16: predicted over measured .58 to 1.29."""
MATMUL_SHARE = 0.45
"""Rate of the matrix products in a step over the probe's rate."""
ACCELERATOR_FLOP_PER_S = 5.0e12
"""Rate from which the probe must have met a GPU: small models are then bound by launches alone."""
ACCELERATOR_STEP_SECONDS = 4.0e-3
"""Some 250 launches a step of an eager two-layer model; an estimate, not measured here."""
START_SECONDS = 4.0
"""Importing torch and mapping the data in a worker: 3 to 6 seconds from its start to `ready`."""
MEETING_SECONDS = 3.0e-3
"""What two gloo ranks add to a step: 2 to 3 ms of processor time, more wall-clock on busy cores."""
_REFERENCE_FLOP_PER_S = 2.0e11
"""Probe rate of the machine the constants were measured on; the overheads of one with slower
products are taken to be up to 3 times longer, never shorter."""


def rung_steps(rung: Rung, ladder: Ladder) -> int:
    """Return the optimizer steps of a rung: every trunk and every cooldown."""
    points = ladder.evaluation.curve_points_per_doubling
    return sum(
        schedule.branches[-1].start + sum(b.end - b.start for b in schedule.branches)
        for schedule in plan_schedules(rung, ladder.recipe, points)
    )


def training_flops(rung: Rung, ladder: Ladder) -> float:
    """Return the training FLOPs of a rung to the step: what the budget guard will count."""
    batch = settle_recipe(ladder.recipe, rung).batch_tokens
    tokens = rung.members * rung_steps(rung, ladder) * batch
    return tokens * flops_per_token(rung.architecture).matmul


def evaluation_flops(rung: Rung, ladder: Ladder, held_out: Sequence[int]) -> float:
    """Return what evaluation adds: a forward pass is a third of training.

    Args:
        rung: what is trained.
        ladder: its evaluation.
        held_out: tokens of the corpus held out, then those of every test set; all are read where
            they are fewer than was asked for.
    """
    evaluation, n_ctx = ladder.evaluation, rung.architecture.n_ctx
    sets = [count_windows(tokens, n_ctx, evaluation.tokens) for tokens in held_out]
    on_curve = min(sets[0], max(1, evaluation.curve_tokens // n_ctx))
    on_noise = evaluation.noise_tokens // n_ctx // GROUPS * GROUPS
    read = 0
    for schedule in plan_schedules(rung, ladder.recipe, evaluation.curve_points_per_doubling):
        cooled = sum(branch.end > branch.start for branch in schedule.branches)
        read += (len(schedule.points) + cooled) * on_curve
        read += len(schedule.points) * 3 * on_noise
        read += len(schedule.branches) * sum(sets)
    return rung.members * n_ctx * read / 3 * flops_per_token(rung.architecture).matmul


def rung_seconds(rung: Rung, ladder: Ladder, flop_per_s: float, *, ranks: int = 1) -> float:
    """Return the predicted seconds of one worker, or of several ranks together.

    Args:
        rung: what to train.
        ladder: its recipe and evaluation.
        flop_per_s: the probe's rate.
        ranks: processes that share the rows of every step.
    """
    tokens: float = rung_steps(rung, ladder) * settle_recipe(ladder.recipe, rung).batch_tokens
    tokens += _evaluated_tokens(rung, ladder.evaluation) / 3
    tokens *= rung.members / ranks
    if flop_per_s > ACCELERATOR_FLOP_PER_S:
        return rung_steps(rung, ladder) * ACCELERATOR_STEP_SECONDS
    slower = min(3.0, max(1.0, _REFERENCE_FLOP_PER_S / flop_per_s))
    model, steps = rung.architecture, rung_steps(rung, ladder)
    layers, cost = _layers_computed(model), OVERHEADS[family_name(model)]
    overhead = steps * cost.step + tokens * cost.token * layers
    overhead += steps * (MEETING_SECONDS if ranks > 1 else 0.0)
    overhead += steps * rung.members * layers * model.n_ctx * cost.place
    matmul = tokens * flops_per_token(rung.architecture).matmul
    return slower * overhead + matmul / (MATMUL_SHARE * flop_per_s)


def _layers_computed(model: Model) -> int:
    """Layers that a token goes through: shared ones once a pass."""
    return model.n_layer * (model.passes if isinstance(model, Transformer) else 1)


def ladder_seconds(ladder: Ladder, flop_per_s: float, workers: int) -> float:
    """Return the predicted wall-clock of the longest-first schedule, start-up included."""
    return START_SECONDS + makespan(
        (rung_seconds(rung, ladder, flop_per_s) for rung in ladder.rungs), workers
    )


def _evaluated_tokens(rung: Rung, evaluation: Evaluation) -> float:
    """Tokens read: every curve point, all sets after every cooldown; gradients cost three."""
    points = 12 * evaluation.curve_points_per_doubling
    final = len(rung.token_budgets) * (1 + len(evaluation.test_sets)) * evaluation.tokens
    return points * (evaluation.curve_tokens + 3 * evaluation.noise_tokens) + final
