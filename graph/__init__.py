"""The slow loop: one pass of the decision graph at one `as_of`, from snapshot to committed decision."""
