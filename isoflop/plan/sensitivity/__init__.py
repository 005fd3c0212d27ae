"""How the answer moves with the choices of a fit and with single runs."""
