"""A small ladder of every design, ready to train: what `isoflop ladder example` prints."""

from collections.abc import Mapping

from isoflop.base.errors import UnknownNameError

_HEAD = """\
name = "{name}"
corpus = "sotu"              # isoflop corpus list; or the path of a text file or folder
tokenizer = "bytes"          # or bpe-K

[recipe]                     # name = "kaplan", "chinchilla" or "porian" for a published one
batch_tokens = 256
lr = 0.004

[evaluation]
tokens = 32768
curve_tokens = 16384

"""

_TABLES = {
    "rungs": """\
# Every rung by itself: its shape, its seeds, its runs.
[[rungs]]
name = "d16"
n_layer = 2
d_model = 16
n_head = 2
n_ctx = 64
n_vocab = 256                # may be left out: the tokenizer's
positions = "rotary"
seeds = 2                    # packed and trained side by side
token_budgets = [131072, 262144]

[[rungs]]
name = "d32"
n_layer = 2
d_model = 32
n_head = 2
n_ctx = 64
n_vocab = 256
positions = "rotary"
seeds = 1
token_budgets = [131072, 262144]
lrs = [0.002, 0.004, 0.008]  # a bracket: every rate with every seed
""",
    "depth": """\
# A size is given by its number of layers. Its width follows: d_model = aspect * n_layer, rounded up
# to whole heads of head_width (left out, these are nanochat's 64 and 128). Each size is trained
# once for each number of tokens_per_param, on that many tokens a parameter; parameters are counted
# without embedding tables, with the output head.
[depth]
depths = [1, 2, 3, 4]        # four sizes: d_model 16, 32, 48, 64
aspect = 16
head_width = 16
tokens_per_param = [10.0]
n_ctx = 64
seeds = 1
""",
    "isoflop": """\
# Several sizes at each budget of FLOPs: D = C / FLOPs of a token, exact matmul count.
[isoflop]
budgets = [1.0e10, 2.0e10, 4.0e10]
widths = [8, 12, 16, 24, 32, 48]
n_layer = 2
n_head = 2
sizes_per_budget = 5         # around the size nearest to tokens_per_param; 0: every size
tokens_per_param = 20.0
n_ctx = 64
seeds = 1
""",
    "grid": """\
# Every size at every number of tokens (Kaplan et al. 2020, L(N, D)).
[grid]
widths = [8, 16, 32]
n_layer = 2
n_head = 2
token_budgets = [131072, 262144, 524288]
n_ctx = 64
seeds = 2

[grid.own.d32]               # what one rung has of its own
seeds = 1
""",
    "design": """\
# [n_params, n_tokens] of every run, as isoflop design -o ladder.toml writes them.
[design]
runs = [[10000, 200000], [20000, 200000], [20000, 400000], [40000, 400000]]
n_layer = 2                  # 0: the depth from aspect
n_head = 2
n_ctx = 64
""",
}

EXAMPLES: Mapping[str, str] = {
    name: _HEAD.format(name=f"{name}-example") + table for name, table in _TABLES.items()
}
"""{design: text of a ladder file}"""


def example_ladder(design: str) -> str:
    """Return the text of a small ladder file of a design.

    Args:
        design: `rungs`, `depth`, `isoflop`, `grid` or `design`.

    Raises:
        UnknownNameError: no such design.

    >>> example_ladder("grid").splitlines()[0]
    'name = "grid-example"'
    """
    if design not in EXAMPLES:
        raise UnknownNameError("design", design, EXAMPLES)
    return EXAMPLES[design]
