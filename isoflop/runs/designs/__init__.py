"""Ladders by a table instead of a list: depth dial, IsoFLOP grid, N×D grid, proposed runs."""
