"""parkindex: the evaluation warehouse for a high-tech zone of many parks."""

__version__ = "0.1.0"
