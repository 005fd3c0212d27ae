"""Decisions over a model's life: what it will serve, and training it past its optimum."""
