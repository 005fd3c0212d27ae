"""Count parameters by group.

Different papers count different groups: Kaplan 2020 excludes embeddings, Hoffmann 2022 includes
everything, Porian 2024 adds the output head to the non-embedding count. So the groups are kept
apart, and a law states which sum it was published in.
"""

from dataclasses import asdict, dataclass

from isoflop.accounting.architecture import Architecture


@dataclass(frozen=True)
class ParamCount:
    """Parameters by group; matrix weights only, biases and norms left out as Kaplan does.

    Args:
        non_embedding: attention and feed-forward weights, N in Kaplan 2020.
        embedding: token table, plus the position table when positions are learned.
        head: output projection; 0 when tied to the token table.
        total: the sum of the three.
    """

    non_embedding: int
    embedding: int
    head: int
    total: int

    def to_dict(self) -> dict[str, int]:
        """Return the contract's JSON object."""
        return asdict(self)


def count_params(architecture: Architecture) -> ParamCount:
    """Count the parameters of a transformer.

    non-embedding = 2·d_model·n_layer·(2·d_attn + d_ff), Kaplan 2020 Table 1.

    >>> count_params(Architecture(n_layer=12, d_model=768)).non_embedding
    84934656
    """
    a = architecture
    non_embedding = 2 * a.d_model * a.n_layer * (2 * a.d_attn + a.d_ff)
    position_rows = a.n_ctx if a.positions == "learned" else 0
    embedding = (a.n_vocab + position_rows) * a.d_model
    head = 0 if a.tied else a.n_vocab * a.d_model
    return ParamCount(non_embedding, embedding, head, non_embedding + embedding + head)
