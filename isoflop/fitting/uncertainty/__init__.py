"""From residuals to intervals that cover: what the noise is, and what it does to a fit."""
