"""The words of the desk: every thing it trades, says, decides and remembers, as frozen types."""
