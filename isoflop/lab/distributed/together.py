"""Train one rung on all ranks: rank 0 as one process would, the others with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from isoflop.lab.data.stream import TokenStream
from isoflop.lab.distributed.group import Group
from isoflop.lab.distributed.leader import Leader, follow
from isoflop.lab.distributed.member import Member
from isoflop.lab.distributed.replicated import Replica
from isoflop.lab.distributed.sharded import Sharded
from isoflop.lab.launchers.station import Station
from isoflop.lab.loop import AnyTrainer
from isoflop.lab.trunk import MakeTrainer, member_seeds, member_streams
from isoflop.runs.ladders.ladder import Recipe, Rung
from isoflop.runs.settle import settle_recipe


@dataclass(frozen=True)
class How:
    """What the ranks must agree on.

    Args:
        station: study, tokens, device and precision.
        shard: whether to divide the weights (FSDP2) or only the rows (DDP).
    """

    station: Station
    shard: bool


def leading(join: Callable[[], Group], how: How) -> MakeTrainer:
    """Return what builds the trainer of rank 0 for `train_rung`; the others call `follow_rung`.

    Args:
        join: meets the other ranks; asked for every trunk.
        how: to train.
    """

    def build(
        rung: Rung, recipe: Recipe, streams: Sequence[TokenStream], seeds: list[tuple[int, int]]
    ) -> AnyTrainer:
        group = join()
        group.tell({"do": "build"})
        member = _make_member(group, how, rung, settle_recipe(recipe, rung), streams, seeds)
        return Leader(group, member, sharded=how.shard)

    return build


def follow_rung(rung: Rung, group: Group, how: How) -> None:
    """Take part in what the leader does, on another rank, until `dismiss`; nothing is written.

    Args:
        rung: what is trained.
        group: the ranks.
        how: to train.
    """
    ladder, data = how.station.study.ladder, how.station.data

    def build() -> Member:
        recipe = settle_recipe(ladder.recipe, rung)
        streams, seeds = member_streams(ladder, rung, data), member_seeds(ladder, rung)
        return _make_member(group, how, rung, recipe, streams, seeds)

    follow(group, build)


def dismiss(group: Group) -> None:
    """Let the followers go; the leader's last word."""
    group.tell({"do": "end"})


def _make_member(
    group: Group,
    how: How,
    rung: Rung,
    recipe: Recipe,
    streams: Sequence[TokenStream],
    seeds: list[tuple[int, int]],
) -> Member:
    """Build this rank's share of a trunk; all ranks must do so."""
    make_engine = Sharded if how.shard else Replica
    engine = make_engine(group, rung, recipe, seeds, how.station.placement)
    return Member(group, engine, rung, recipe, streams, seeds)
