"""Learning-rate brackets: the ladder that tries several rates a rung, and what it says."""
