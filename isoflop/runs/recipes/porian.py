"""Porian et al. 2024: warm-up scaled to the size, no decay, everything tuned per size."""

from isoflop.runs.recipes.recipe import PublishedRecipe, Recipe

PORIAN = PublishedRecipe(
    recipe=Recipe(
        name="porian",
        batch_tokens=2**18,  # the batch above which β2 .95 is enough: 128 sequences of 2048
        lr=0.003,  # centre of their sweeps; to be tuned per width by a bracket
        beta2=0.99,  # .95 is bad at 128 sequences and below
        schedule="constant",
        warmup_rule="params",
        lr_rule="standard",
    ),
    source="Porian et al. 2024 (arXiv 2406.19146)",
    taken="the last of their corrections: warm-up of as many tokens as parameters (head counted, "
    "table not), constant rate, every budget read off one trunk. Decay is not needed for the "
    "exponent, so they find",
    left="their tuned table of rates, batches and β2 per size: tune with `isoflop ladder bracket`; "
    "z-loss, weight decay, clipping",
)
