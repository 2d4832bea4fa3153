"""Many connections at once, in every mode and isolation level: `make torture`, or `python -m tests.torture`.

`storm.py` is the workload that looks for wrong rows, `shop.py` the one that is measured, `client.py` a writer,
`world.py` tables with views, `helpers.py` who works beside the writers, `rounds.py` who runs when, `report.py` the figures and the targets.
"""
