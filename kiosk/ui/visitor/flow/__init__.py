"""The visitor's way through a filing, without a window."""
