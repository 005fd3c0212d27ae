"""The sizes of the study: `full`, some CPU hours on two cores, and `tiny`, to see that it runs.

Budgets are bytes seen by one model; every rung's are listed, so that what is trained is here.
"""

from dataclasses import dataclass

M = 1_000_000


@dataclass(frozen=True)
class Size:
    """How large each part is.

    Args:
        name: `full` or `tiny`.
        corpus: the first corpus.
        second: the second one; `stdlib` for the sources of Python's own library.
        widths: of the grid, two layers each.
        seeds: of the widths, as many.
        budgets: tokens of every width of the grid.
        rates: learning rates a bracket; 0 trains at the recipe's.
        batch: tokens a step, wherever it is not what is varied.
        batch_width: width of the batch sweep.
        batches: tokens a step, tried.
        batch_budget: tokens of the run at the smallest batch; it grows as the cube root of the
            batch, since a larger one needs more of them.
        shapes: (layers, width, d_ff over width) of the shape sweep, of about one N.
        lstm_widths: of LSTMs and transformers in the race.
        second_widths: of the models trained on the second corpus.
        pretrain_budget: tokens of the first corpus before fine-tuning.
        finetune_budgets: tokens of the second one from those weights.
        unique: distinct bytes of the texts read again and again.
        unique_width: width of the model that reads them.
        epochs: how often, one run each.
        porian_widths: of the ladder under other recipes.
        porian_budgets: tokens of it.
        held_out: held-out tokens of a final loss.
        noise_tokens: tokens whose gradients give the noise scale along the grid's trunks.
    """

    name: str
    corpus: str
    second: str
    widths: tuple[int, ...]
    seeds: tuple[int, ...]
    budgets: tuple[int, ...]
    rates: int
    batch: int
    batch_width: int
    batches: tuple[int, ...]
    batch_budget: int
    shapes: tuple[tuple[int, int, float], ...]
    lstm_widths: tuple[int, ...]
    second_widths: tuple[int, ...]
    pretrain_budget: int
    finetune_budgets: tuple[int, ...]
    unique: tuple[int, ...]
    unique_width: int
    epochs: tuple[int, ...]
    porian_widths: tuple[int, ...]
    porian_budgets: tuple[int, ...]
    held_out: int
    noise_tokens: int


FULL = Size(
    name="full",
    corpus="english",
    second="linux-c",
    widths=(8, 12, 16, 24, 32, 48, 64, 96, 128),
    seeds=(2, 2, 2, 2, 2, 2, 2, 1, 1),
    budgets=(M // 2, 1 * M, 2 * M, 4 * M, 8 * M, 16 * M),
    rates=5,
    batch=256,
    batch_width=32,
    batches=(128, 512, 2048, 8192, 32768),
    batch_budget=3 * M // 2,
    shapes=(
        (1, 96, 4.0),
        (2, 64, 4.0),
        (4, 48, 4.0),
        (8, 32, 4.0),
        (2, 80, 1.0),
        (2, 48, 9.0),
    ),
    lstm_widths=(16, 24, 32, 48, 64),
    second_widths=(16, 32, 64),
    pretrain_budget=4 * M,
    finetune_budgets=(M // 16, M // 8, M // 4, M // 2, 1 * M),
    unique=(M // 4, M // 2, 1 * M, 2 * M),
    unique_width=64,
    epochs=(1, 2, 4, 8, 16),
    porian_widths=(8, 12, 16, 24, 32, 48, 64),
    porian_budgets=(M // 4, M // 2, 1 * M, 2 * M, 4 * M, 8 * M),
    held_out=262_144,
    noise_tokens=8_192,
)

TINY = Size(
    name="tiny",
    corpus="sotu",
    second="stdlib",
    widths=(4, 8, 12, 16),
    seeds=(1, 1, 1, 1),
    budgets=(4_096, 8_192, 16_384, 32_768, 65_536),
    rates=3,
    batch=256,
    batch_width=8,
    batches=(256, 512, 1024),
    batch_budget=131_072,
    shapes=((1, 12, 4.0), (2, 8, 4.0)),
    lstm_widths=(8, 12),
    second_widths=(4, 8),
    pretrain_budget=65_536,
    finetune_budgets=(2_560, 5_120, 10_240),
    unique=(8_192, 16_384, 32_768),
    unique_width=16,
    epochs=(1, 2, 4),
    porian_widths=(4, 8, 12, 16),
    porian_budgets=(4_096, 8_192, 16_384, 32_768, 65_536),
    held_out=8_192,
    noise_tokens=0,
)

SIZES = {size.name: size for size in (FULL, TINY)}
