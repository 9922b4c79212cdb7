"""The web desk: pages of the served book for a browser, on the sessions, roles and reads of the API."""
