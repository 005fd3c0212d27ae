"""Fitting: objective, batched solver, three methods, resampling, honest intervals."""
