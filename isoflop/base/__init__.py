"""The ground floor: errors, units, estimates, strict JSON and atomic files."""
