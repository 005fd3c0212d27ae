"""Figures: frozen data first, then ink. The only folder that knows matplotlib."""
