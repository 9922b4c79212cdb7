"""Arms of an experiment: the desk with one thing changed, over the same days with the same seed."""
