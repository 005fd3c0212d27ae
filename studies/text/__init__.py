"""The study on text: every law of Kaplan and Chinchilla from models trained here."""
