"""Helpers that several folders of tests share: processes, rigs, fake media, networks, mounts."""
