"""Learning rate and batch at a target: what the published rules say, and how far they reach."""
