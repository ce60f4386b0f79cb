"""One module per feed: what its provider would send, in the format that provider uses."""
