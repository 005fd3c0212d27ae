"""Studies as run tables."""
