"""Tables of the object store."""
