"""From cells to typed rows: a record becomes a row of its raw table, a reject with its rule, or a repetition."""
