"""Train one rung on all ranks: rank 0 as one process would, the others with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from isoflop.lab.data.stream import TokenStream
from isoflop.lab.distributed.group import Group
from isoflop.lab.distributed.leader import Leader, follow, make_member
from isoflop.lab.distributed.member import Member
from isoflop.lab.launchers.station import Station
from isoflop.lab.loop import AnyTrainer
from isoflop.lab.train_rung import MakeTrainer, member_seeds, member_streams
from isoflop.runs.ladder import Recipe, Rung


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
        member = make_member(
            group,
            rung,
            recipe,
            streams,
            seeds=seeds,
            placement=how.station.placement,
            shard=how.shard,
        )
        return Leader(group, member, sharded=how.shard)

    return build


def follow_rung(rung: Rung, group: Group, how: How) -> None:
    """Take part in what the leader does, on another rank, until `dismiss`; nothing is written.

    Args:
        rung: what is trained.
        group: the ranks.
        how: to train.
    """
    ladder = how.station.study.ladder

    def build() -> Member:
        return make_member(
            group,
            rung,
            ladder.recipe,
            member_streams(ladder, rung, how.station.data),
            seeds=member_seeds(ladder, rung),
            placement=how.station.placement,
            shard=how.shard,
        )

    follow(group, build)


def dismiss(group: Group) -> None:
    """Let the followers go; the leader's last word."""
    group.tell({"do": "end"})
