"""Read-back check: what decodes from the disk is compared with what was captured."""
