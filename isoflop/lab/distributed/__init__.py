"""One rung over many devices: torchrun's ranks, DDP, FSDP2. See docs/distributed.md.

Rank 0 (the leader) runs `train_rung` as a single process would and is the only one that writes.
Its trainer sends every call to the other ranks (followers), which take part in the arithmetic:
so all decisions are taken once, and what is on disk is what one process writes.

    group      the ranks, and messages from the leader
    replicated every rank holds the model (DistributedDataParallel)
    sharded    every rank holds a share of every weight (fully_shard)
    shards     the optimizer of those shares
    rank       one process, as torchrun starts it
    member     what one rank does when told
    leader     the trainer of rank 0
"""
