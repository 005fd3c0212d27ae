"""A ladder: the runs to be made, as pure data.

A ladder has rungs (model shapes). A rung has seeds and token budgets. One trunk = (rung, seed)
is trained once at constant learning rate; a cooldown branches off before each budget; other
schedules share a trunk without cooldown, or not at all. One run = (rung, seed, budget) = one row
of the run table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from isoflop.accounting.families import Model
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import ParamCount, count_params
from isoflop.base.errors import SpecError
from isoflop.runs.designs.tables import Design
from isoflop.runs.ladders.evaluation import DEFAULT_EVALUATION
from isoflop.runs.ladders.evaluation import Evaluation as Evaluation
from isoflop.runs.ladders.shapes import plain_model
from isoflop.runs.recipes.recipe import DEFAULT
from isoflop.runs.recipes.recipe import Recipe as Recipe
from isoflop.runs.settle import settle_recipe

MAX_EPOCHS = 4.0
"""Worth 3.73 fresh epochs by Muennighoff et al. 2023's R*_D of 15.39: nearly as good as fresh."""


@dataclass(frozen=True)
class Rung:
    """One model shape, its seeds and its token budgets.

    Args:
        name: `[A-Za-z0-9._-]{1,40}`, unique in the ladder.
        architecture: the shape, of any family that can be trained (docs/formats.md).
        seeds: number of seeds, packed and trained together.
        token_budgets: increasing numbers of training tokens, one run each per seed.
        dropout: share of activations set to zero in training, never in evaluation.
        lrs: increasing peak learning rates: none takes the recipe's, one replaces it here, several
            make a bracket, every one of them trained with every seed and packed with them.
        start: folder of a finished run of another study, `STUDY/runs/RUN`, whose weights every
            model of the rung begins with; empty for new weights.
    """

    name: str
    architecture: Model
    seeds: int
    token_budgets: tuple[int, ...]
    dropout: float = 0.0
    lrs: tuple[float, ...] = ()
    start: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "architecture", plain_model(self.architecture))

    @property
    def members(self) -> int:
        """Models trained side by side: every seed at every learning rate."""
        return self.seeds * max(1, len(self.lrs))


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
        lr: peak learning rate.
        member: place in the pack of its rung.
    """

    id: str
    rung: Rung
    seed: int
    n_tokens: int
    steps: int
    batch_tokens: int
    lr: float
    member: int

    @property
    def params(self) -> ParamCount:
        """Parameters by group."""
        return count_params(self.rung.architecture)

    @property
    def flops(self) -> float:
        """Training FLOPs by the exact matmul count."""
        return flops_per_token(self.rung.architecture).matmul * self.n_tokens

    def schedule_tokens(self, recipe: Recipe) -> int:
        """Return the tokens its rate was laid out for; more than its own off a fixed cosine."""
        fixed = recipe.schedule == "cosine-fixed"
        return recipe.horizon_steps * self.batch_tokens if fixed else self.n_tokens


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
        max_epochs: how often the longest run may read the training text; beyond about 4 repeats
            are worth less and less (Muennighoff et al. 2023), so that more must be asked for.
        design: the table of the file that the rungs were laid out by; no part of its identity.

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
    recipe: Recipe = DEFAULT
    evaluation: Evaluation = DEFAULT_EVALUATION
    seed: int = 0
    max_epochs: float = MAX_EPOCHS
    design: Design | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        from isoflop.runs.ladders.checks import ladder_mistakes, parts_of_ladder

        mistakes = ladder_mistakes(parts_of_ladder(self))
        if mistakes:
            raise SpecError("ladder", mistakes)

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
    """Yield the runs of one rung, budgets ascending, then learning rates, then seeds."""
    recipe = settle_recipe(recipe, rung)
    batch = recipe.batch_tokens
    lrs = rung.lrs or (recipe.lr,)
    for budget in rung.token_budgets:
        steps = max(1, round(budget / batch))
        for member in range(rung.members):
            lr, seed = lrs[member // rung.seeds], member % rung.seeds
            run_id = f"{rung.name}-s{seed}-t{steps * batch}"
            run_id += f"-lr{lr:.4g}" if len(lrs) > 1 else ""
            yield PlannedRun(run_id, rung, seed, steps * batch, steps, batch, lr, member)


def rung_tokens(rung: Rung, recipe: Recipe) -> float:
    """Tokens that one model of a rung is trained on, for all its budgets.

    `wsd`: the trunk to the last branch point plus every cooldown. `cosine`: a trunk for every
    budget. `cosine-fixed` and `constant`: the longest run, the others are read on its way.
    """
    longest, whole = rung.token_budgets[-1], sum(rung.token_budgets)
    if recipe.schedule == "wsd":
        share = recipe.cooldown_fraction
        return (1 - share) * longest + share * whole
    return whole if recipe.schedule == "cosine" else longest


def rung_trunks(rung: Rung, recipe: Recipe) -> int:
    """Models trained from their first step: one a seed and rate, under `cosine` one a budget."""
    return rung.members * (len(rung.token_budgets) if recipe.schedule == "cosine" else 1)


def rung_flops(rung: Rung, recipe: Recipe) -> float:
    """Training FLOPs of one rung, shared trunks counted once."""
    return rung.members * rung_tokens(rung, recipe) * flops_per_token(rung.architecture).matmul
