"""From a candidate to a release: build and hash, approve, publish, serve, write the bundle, verify."""
