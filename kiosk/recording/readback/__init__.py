"""Read-back check: compares what decodes from the disk with what was captured."""
