"""What is not shown to all: sealed and dropped personal fields, pseudonyms, withheld cells, erasure, who read what."""
