"""What ends training early: a budget, a signal."""
