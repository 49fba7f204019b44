"""The running hearing: recording, recess, lock screen."""
