"""The desk over HTTP: one versioned API for the web pages and for programs, with a stream of what happens."""
