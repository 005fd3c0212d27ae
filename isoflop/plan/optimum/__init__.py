"""The compute-optimal plan of a budget under a law, and how far it may be trusted."""
