"""Finished runs kept elsewhere, and brought back."""
