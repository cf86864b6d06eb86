"""Files as a stranger with bad intent would make them, and what to hold against their loading."""
