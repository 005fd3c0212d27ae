"""Kaplan's economics of batch, steps and time, and how many tokens a size needs."""
