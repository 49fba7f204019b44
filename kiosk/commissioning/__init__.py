"""Setting up a room: its steps, microphones to seats, the walk. No window, no input or output."""
