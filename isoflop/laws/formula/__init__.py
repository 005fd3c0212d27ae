"""Laws that users write down, through a parser of our own."""
