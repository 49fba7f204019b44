"""Files that are still arriving: in a folder of one server, or in S3 for several of them."""
