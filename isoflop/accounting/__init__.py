"""Counting parameters and FLOPs; no fitting."""
