"""A ladder: the runs to be made, as pure data.

A ladder has rungs (model shapes). A rung has seeds and token budgets. One trunk = (rung, seed)
is trained once at constant learning rate; a cooldown branches off before each budget. One run =
(rung, seed, budget) = one row of the run table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from isoflop.accounting.families import Model
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import ParamCount, count_params
from isoflop.base.errors import SpecError
from isoflop.runs.ladder_shapes import plain_model


@dataclass(frozen=True)
class Recipe:
    """Everything held fixed across rungs; the defaults are those of a tour of some minutes.

    Args:
        batch_tokens: tokens per optimizer step and seed, at most the critical batch.
        lr: peak learning rate of AdamW at `base_width`.
        base_width: width at which `lr` holds; matrices of fan-in f get lr·base_width/f.
        beta1: first-moment decay.
        beta2: second-moment decay.
        eps: AdamW epsilon.
        weight_decay: decoupled decay per unit of learning rate.
        warmup_fraction: warm-up as a share of the trunk's shortest run.
        warmup_max_steps: upper bound of the warm-up, steps.
        cooldown_fraction: share of each run spent in the 1 − √ cooldown.
        precision: `auto` asks the probe; else the matmul type.
    """

    batch_tokens: int = 256
    lr: float = 0.004
    base_width: int = 32
    beta1: float = 0.9
    beta2: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    warmup_fraction: float = 0.05
    warmup_max_steps: int = 200
    cooldown_fraction: float = 0.2
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


@dataclass(frozen=True)
class Evaluation:
    """Held-out evaluation: the same tokens for every run.

    Args:
        tokens: held-out tokens of the final loss.
        curve_tokens: held-out tokens at each point of a learning curve (a prefix of the above).
        curve_points_per_doubling: points per doubling of tokens on a learning curve.
        held_out_every: every k-th document of the corpus is held out.
    """

    tokens: int = 262_144
    curve_tokens: int = 65_536
    curve_points_per_doubling: int = 2
    held_out_every: int = 10


@dataclass(frozen=True)
class Rung:
    """One model shape, its seeds and its token budgets.

    Args:
        name: `[A-Za-z0-9._-]{1,40}`, unique in the ladder.
        architecture: the shape, of any family that can be trained (docs/formats.md).
        seeds: number of seeds, packed and trained together.
        token_budgets: increasing numbers of training tokens, one run each per seed.
        dropout: share of activations set to zero in training, never in evaluation.
    """

    name: str
    architecture: Model
    seeds: int
    token_budgets: tuple[int, ...]
    dropout: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "architecture", plain_model(self.architecture))


@dataclass(frozen=True)
class PlannedRun:
    """One run not yet made: a row of the run table without its loss.

    Args:
        id: folder name of the run.
        rung: its rung.
        seed: index of the seed within the rung.
        n_tokens: training tokens asked for (rounded to whole steps).
        steps: optimizer steps.
        batch_tokens: tokens per step.
    """

    id: str
    rung: Rung
    seed: int
    n_tokens: int
    steps: int
    batch_tokens: int

    @property
    def params(self) -> ParamCount:
        """Parameters by group."""
        return count_params(self.rung.architecture)

    @property
    def flops(self) -> float:
        """Training FLOPs by the exact matmul count."""
        return flops_per_token(self.rung.architecture).matmul * self.n_tokens


@dataclass(frozen=True)
class Ladder:
    """What to train: corpus, recipe and rungs.

    Args:
        name: name of the study.
        corpus: name of a registered corpus, or path of a text file or folder.
        tokenizer: `bytes`, or `bpe-K` for a byte-pair encoding of K tokens trained on the corpus.
        rungs: the model shapes.
        recipe: what is held fixed.
        evaluation: how loss is measured.
        seed: root of every random choice.

    Raises:
        SpecError: every mistake found, each with its path.

    >>> from isoflop.accounting.architecture import Architecture
    >>> shape = Architecture(n_layer=2, d_model=16, n_head=1, n_ctx=64, n_vocab=256)
    >>> ladder = Ladder("demo", "sotu", "bytes", (Rung("d16", shape, 2, (8192, 16384)),))
    >>> [run.id for run in ladder.runs()]
    ['d16-s0-t8192', 'd16-s1-t8192', 'd16-s0-t16384', 'd16-s1-t16384']
    """

    name: str
    corpus: str
    tokenizer: str
    rungs: tuple[Rung, ...]
    recipe: Recipe = Recipe()
    evaluation: Evaluation = Evaluation()
    seed: int = 0

    def __post_init__(self) -> None:
        from isoflop.runs.ladder_checks import ladder_mistakes

        mistakes = ladder_mistakes(self)
        if mistakes:
            raise SpecError("ladder: " + "; ".join(mistakes))

    def rung(self, name: str) -> Rung:
        """Return the rung called `name`."""
        return next(rung for rung in self.rungs if rung.name == name)

    def runs(self) -> Iterator[PlannedRun]:
        """Yield every run: by rung, then budget, then seed."""
        for rung in self.rungs:
            yield from runs_of(rung, self.recipe)

    @property
    def flops(self) -> float:
        """Training FLOPs of the whole ladder, shared trunks counted once."""
        return sum(rung_flops(rung, self.recipe) for rung in self.rungs)


def runs_of(rung: Rung, recipe: Recipe) -> Iterator[PlannedRun]:
    """Yield the runs of one rung, budgets ascending, seeds within a budget."""
    batch = recipe.batch_tokens
    for budget in rung.token_budgets:
        steps = max(1, round(budget / batch))
        for seed in range(rung.seeds):
            run_id = f"{rung.name}-s{seed}-t{steps * batch}"
            yield PlannedRun(run_id, rung, seed, steps * batch, steps, batch)


def rung_flops(rung: Rung, recipe: Recipe) -> float:
    """Training FLOPs of one rung: the trunk to the last branch point plus every cooldown."""
    share = recipe.cooldown_fraction
    tokens = (1 - share) * rung.token_budgets[-1] + share * sum(rung.token_budgets)
    return rung.seeds * tokens * flops_per_token(rung.architecture).matmul
