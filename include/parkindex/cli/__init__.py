"""The ``parkindex`` command: verbs as in the README, exit codes as in :mod:`parkindex.errors`."""
