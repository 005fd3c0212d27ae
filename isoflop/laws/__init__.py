"""Scaling laws: pure functions with named parameters, and the constants that were published."""
