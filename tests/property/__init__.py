"""Random schemas, queries and traces of writes: every view against its original SQL after every statement.

`make fuzz` runs 100,000 checked steps on all cores and says for each construct how many views had it and how many were
kept incrementally; `make fuzz ARGS='--seconds 600 --seed 7 --features outer,semi'` runs something else. What went wrong
is printed as a shrunk SQL script; keep it in `regressions/`, where each file is a test.

`queries.py` is where queries are drawn, `traces.py` where writes are; `oracle.py` runs both, `hunt.py` looks how soon
broken rules (`mutants.py`) are noticed.
"""
