"""What providers send: bytes kept as received, and read into cells by the delivery form the contract names."""
