"""Decisions where distinct data are short: what repeats are worth, and what more data would buy."""
