"""Random schemas, queries and traces of writes: every view against its original SQL after every statement.

`make fuzz` runs for long (FUZZ_EXAMPLES examples of each property; the seed is in the report's header), and so does
`python -m tests.property.soak --seconds 3600`. What went wrong is printed as a shrunk SQL script; keep it in
`regressions/`, where each file is a test.
"""
