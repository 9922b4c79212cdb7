"""Every text the desk sends to a language model, as versioned Markdown files, and their loader."""
