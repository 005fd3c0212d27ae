"""Laws of whole learning curves under a learning-rate schedule."""
