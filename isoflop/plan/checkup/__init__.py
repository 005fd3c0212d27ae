"""The physician: what in a run table would ruin a scaling law, what it costs, what to do."""
