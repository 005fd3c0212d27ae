"""Predictions of runs not yet trained, with what the law may be wrong by."""
