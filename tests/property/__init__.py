"""Random schemas, queries and traces of writes: every view against its original SQL after every statement."""
