"""A picture of every state of the screen, errors included, made from canned states."""
