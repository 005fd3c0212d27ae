"""From loss to accuracy: two steps, and models others have trained."""
