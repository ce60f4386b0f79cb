"""The ledger: tables that are written once and kept, declared in SQLAlchemy and migrated with Alembic."""
