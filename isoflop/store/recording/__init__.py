"""Journals of any training loop, written without the lab."""
