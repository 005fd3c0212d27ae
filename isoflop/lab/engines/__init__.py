"""How models are trained on this machine: where, in which type, in how many packs."""
