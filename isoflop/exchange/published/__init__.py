"""Public run tables: where each lies, under which licence, and how its columns read."""
