"""The database half: analyse a query, install, refresh and verify views."""
