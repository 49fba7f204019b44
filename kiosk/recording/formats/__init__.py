"""File formats of a recording: fragmented MP4, HLS playlists, FLAC, encrypted tar."""
