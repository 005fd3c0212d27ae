"""Models the lab trains."""
