"""Ways to train the rungs of a study: one interface, existing engines below it."""
