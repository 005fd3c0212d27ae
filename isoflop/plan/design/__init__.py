"""Which runs to buy: the next one, or a whole ladder, for the forecast that is wanted."""
