"""dbt's part of the way: staging, intermediate, marts and the index, in schemas under a prefix; and their promotion."""

from parkindex.transform.promotion import promote

__all__ = ["promote"]
