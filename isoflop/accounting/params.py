"""Count parameters by group.

Different papers count different groups: Kaplan 2020 excludes embeddings, Hoffmann 2022 includes
everything, Porian 2024 adds the output head to the non-embedding count. So the groups are kept
apart, and a law states which sum it was published in.
"""

from dataclasses import asdict, dataclass

from isoflop.accounting.families import Model, take_inventory
from isoflop.accounting.inventory import BLOCK_GROUPS


@dataclass(frozen=True)
class ParamCount:
    """Parameters in the sums that laws are stated in.

    Norms and biases are left out as Kaplan 2020 does, unless the model asks for them; then they
    are in the total alone.

    Args:
        non_embedding: matrices of the blocks, N in Kaplan 2020.
        embedding: token table, plus the position table when positions are learned.
        head: output projection; 0 when tied to the token table.
        total: every group.
    """

    non_embedding: int
    embedding: int
    head: int
    total: int

    def to_dict(self) -> dict[str, int]:
        """Return the contract's JSON object."""
        return asdict(self)


def count_params(model: Model) -> ParamCount:
    """Count the parameters that a model stores.

    Of a plain transformer, non-embedding = 2·d_model·n_layer·(2·d_attn + d_ff), Kaplan 2020
    Table 1. Weights that several layers share count once.

    Args:
        model: an `Architecture`, `Transformer`, `Lstm` or `Convolutional`.

    >>> from isoflop.accounting.architecture import Architecture
    >>> count_params(Architecture(n_layer=12, d_model=768)).non_embedding
    84934656
    """
    return _sums(count_groups(model))


def count_active_params(model: Model) -> ParamCount:
    """Count the parameters that one token meets: less than all in a mixture of experts.

    >>> from isoflop.accounting.named import find_model
    >>> f"{count_active_params(find_model('mixtral-8x7b').model).total / 1e9:.1f}B"
    '12.9B'
    """
    groups: dict[str, int] = {}
    for part in take_inventory(model).parts:
        groups[part.group] = groups.get(part.group, 0) + part.n_active
    return _sums(groups)


def count_groups(model: Model) -> dict[str, int]:
    """Count the stored parameters of each group that the model has.

    Returns:
        Parameters by group: of token_embedding, position, attention, feed_forward, router,
        recurrence, convolution, norm, bias, head those that the family knows.

    >>> from isoflop.accounting.architecture import Architecture
    >>> count_groups(Architecture(n_layer=12, d_model=768))["feed_forward"]
    56623104
    """
    groups: dict[str, int] = {}
    for part in take_inventory(model).parts:
        groups[part.group] = groups.get(part.group, 0) + part.n_params
    return groups


def _sums(groups: dict[str, int]) -> ParamCount:
    non_embedding = sum(groups.get(name, 0) for name in BLOCK_GROUPS)
    embedding = groups.get("token_embedding", 0) + groups.get("position", 0)
    return ParamCount(non_embedding, embedding, groups.get("head", 0), sum(groups.values()))
