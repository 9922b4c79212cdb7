"""What the world says: recorded data sets, their calendar and quality, read only as of a moment."""
