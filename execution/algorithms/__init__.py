"""Execution algorithms: pure schedules, of which each says what should have been committed by a moment."""
