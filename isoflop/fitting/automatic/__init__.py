"""`--law auto`: continue a curve of one variable without choosing its formula."""
