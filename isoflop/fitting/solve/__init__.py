"""The solver: many weighted fits of one law at once, batched in NumPy."""
