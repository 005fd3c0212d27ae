"""A recipe: everything of a training but the shape, the seeds and the numbers of tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ScheduleName = Literal["wsd", "cosine", "cosine-fixed", "constant"]
"""How the learning rate runs; see docs/recipes.md."""
SCHEDULES: Mapping[ScheduleName, str] = {
    "wsd": "constant then 1-sqrt cooldown",
    "cosine": "cosine of the run's length",
    "cosine-fixed": "cosine of one length",
    "constant": "constant",
}
"""What the run table calls them."""


@dataclass(frozen=True)
class Recipe:
    """Everything held fixed across rungs; the defaults are those of a tour of some minutes.

    Where a rule is chosen, the number it replaces is worked out per rung by `settle_recipe`.

    Args:
        batch_tokens: tokens per optimizer step and seed, at most the critical batch.
        lr: peak learning rate of AdamW, at `base_width` under the rule `transfer`.
        base_width: width at which `lr` holds; matrices of fan-in f get lr·base_width/f.
        beta1: first-moment decay.
        beta2: second-moment decay.
        eps: AdamW epsilon.
        weight_decay: decoupled decay per unit of learning rate.
        warmup_fraction: warm-up as a share of the trunk's shortest run.
        warmup_max_steps: upper bound of the warm-up, steps.
        cooldown_fraction: share of each run spent in the 1 − √ cooldown.
        precision: `auto` asks the probe; else the matmul type.
        name: the published recipe it came from; the default is `wsd`.
        schedule: `wsd` constant then 1 − √ cooldown, one trunk for every budget; `cosine` to the
            end of each run, one trunk a budget; `cosine-fixed` of `horizon_steps`, read on the
            way at each budget; `constant`, read likewise.
        lr_final: rate at the end of a cosine, as a share of the peak.
        horizon_steps: length of the cosine of `cosine-fixed`, optimizer steps.
        warmup_rule: `share` (the two fields above), `steps` (`warmup_steps`, whatever the run) or
            `params` (as many tokens as non-embedding and head parameters; at most a sixth of a
            `cosine` run).
        warmup_steps: of the rule `steps`.
        lr_rule: `transfer` by width as above; `standard`, `lr` for every matrix; `power`,
            lr_scale·N^lr_exponent_n·D^lr_exponent_d; `logarithm`, lr_scale + lr_exponent_n·ln N.
            N counts non-embedding parameters, D the tokens of the rung's longest run.
        lr_scale: of the rules `power` and `logarithm`.
        lr_exponent_n: likewise.
        lr_exponent_d: of the rule `power`.
        batch_rule: `fixed`; `tokens`, batch_scale·D^batch_exponent; `compute`, the critical batch
            as batch_scale·C^batch_exponent with C = 6·N·D in PF-days; D of the rung's shortest
            run, so that no run has more. Rounded to n_ctx times a power of two.
        batch_scale: of the two rules, tokens.
        batch_exponent: likewise.
        beta2_half_life_tokens: when above 0, β2 = 2^(−batch/half-life) replaces `beta2`.
        optimizer: `adamw`; `muon` for the matrices of the layers, AdamW for the rest.
        muon_lr: Muon's peak rate, for a matrix with as many outputs as inputs.
        muon_momentum: Muon's momentum, Nesterov.
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
    name: str = "wsd"
    schedule: ScheduleName = "wsd"
    lr_final: float = 0.0
    horizon_steps: int = 0
    warmup_rule: Literal["share", "steps", "params"] = "share"
    warmup_steps: int = 0
    lr_rule: Literal["transfer", "standard", "power", "logarithm"] = "transfer"
    lr_scale: float = 0.0
    lr_exponent_n: float = 0.0
    lr_exponent_d: float = 0.0
    batch_rule: Literal["fixed", "tokens", "compute"] = "fixed"
    batch_scale: float = 0.0
    batch_exponent: float = 0.0
    beta2_half_life_tokens: int = 0
    optimizer: Literal["adamw", "muon"] = "adamw"
    muon_lr: float = 0.02
    muon_momentum: float = 0.95


DEFAULT = Recipe()
FIRST_FIELDS = 11
"""Fields of the first release. Later ones are printed only where they differ from their defaults,
so that a ladder written before them keeps its text and with it its identity."""


@dataclass(frozen=True)
class PublishedRecipe:
    """A recipe by name.

    Args:
        recipe: its constants; steps and rules are the paper's, so that a smaller batch shrinks
            its tokens and leaves its steps.
        source: papers.
        taken: which constants are the paper's and where they stand.
        left: what is not taken over.
    """

    recipe: Recipe
    source: str
    taken: str
    left: str
