"""Train one rung on all ranks: rank 0 as one process would, the others with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isoflop.lab.data.prepare import StudyData, open_data
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.distributed.group import Group
from isoflop.lab.distributed.leader import Leader, follow, make_member
from isoflop.lab.distributed.member import Member
from isoflop.lab.loop import AnyTrainer
from isoflop.lab.placement import Placement
from isoflop.lab.train_rung import member_seeds, member_streams, train_rung
from isoflop.runs.ladder import Recipe, Rung
from isoflop.store.study import Study


def train_together(
    study: Study,
    rung: Rung,
    group: Group,
    *,
    shard: bool,
    placement: Placement,
    emit: Callable[[Mapping[str, Any]], None],
) -> None:
    """Train what is missing of a rung, on every rank; returns when all its runs are on disk.

    Args:
        study: prepared for training; every rank reads its tokens, the leader alone writes.
        rung: what to train; `check_split` has allowed it.
        group: the ranks.
        shard: whether to divide the weights (FSDP2) or only the rows (DDP).
        placement: device and precision.
        emit: told of the leader's events.

    Raises:
        IsoflopError: another process is training this rung.
        RuntimeError: another rank is gone.
    """
    data = open_data(study.ladder, study.path / "data")
    if not group.leads:
        _follow(study, rung, data, group, shard, placement)
        return

    def lead(
        rung: Rung, recipe: Recipe, streams: Sequence[TokenStream], seeds: list[tuple[int, int]]
    ) -> AnyTrainer:
        group.tell({"do": "build"})
        member = make_member(
            group, rung, recipe, streams, seeds=seeds, placement=placement, shard=shard
        )
        return Leader(group, member, sharded=shard)

    train_rung(study, rung, data, placement, emit, lead)
    group.tell({"do": "end"})


def _follow(
    study: Study, rung: Rung, data: StudyData, group: Group, shard: bool, placement: Placement
) -> None:
    """Build a member for each trunk the leader begins, and follow it."""
    ladder = study.ladder

    def build() -> Member:
        return make_member(
            group,
            rung,
            ladder.recipe,
            member_streams(ladder, rung, data),
            seeds=member_seeds(ladder, rung),
            placement=placement,
            shard=shard,
        )

    follow(group, build)
