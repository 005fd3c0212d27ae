"""Approaches 1 and 2: compute-optimal frontiers read off the runs, and what biases them."""
