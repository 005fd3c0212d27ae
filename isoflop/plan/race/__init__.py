"""Two recipes: which scales better, by how much, and where they cross."""
