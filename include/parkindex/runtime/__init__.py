"""What runs on this machine: the embedded Postgres, Airflow, the sample's server, and the year driven through them."""
