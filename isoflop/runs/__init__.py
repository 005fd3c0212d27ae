"""Runs: rows that were measured, ladders that are yet to be, findings about both."""
