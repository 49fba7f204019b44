"""Sources of a recording: the camera and the microphones, each device in its child process."""
