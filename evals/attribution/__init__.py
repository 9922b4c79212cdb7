"""Takes the profit of a run apart, so that every part adds up to it to the cent."""
