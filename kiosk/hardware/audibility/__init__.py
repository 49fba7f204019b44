"""Whether somebody speaks at a microphone, and how well they can be understood."""
