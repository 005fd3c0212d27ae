"""What to train next: optima, crossings, forecasts, designs."""
