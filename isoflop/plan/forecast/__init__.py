"""Far forecasts: a budget of a century, and how far benchmarks are from human level."""
