"""Everything a run table can tell, and what it cannot."""
