"""Studies: trainings of hours whose numbers the documentation shows."""
