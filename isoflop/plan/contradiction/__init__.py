"""Where what compute promises and what the data allow contradict each other."""
