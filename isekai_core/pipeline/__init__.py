"""The pipeline: one module per stage, and what they share.

definition.py   Pipeline and use: what people write
compose.py      names and options become processors
discover.py     where pipelines are found: apps and isekai.toml
engine.py       runs a pipeline: seed, then the front (extract, mine, transform), then load
seed.py extract.py mine.py transform.py load.py     the five stages
journal.py      claims and batched writes; rows.py its SQL
order.py        the build order of the graph of refs
resolve.py      refs to values
"""
