"""The observer: rules over events that say what a person should know; it reads, and changes nothing."""
