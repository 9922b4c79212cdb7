"""Pages for people: every number on them carries a reference into the JSON twin beside them."""
