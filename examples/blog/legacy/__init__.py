"""The old site that the demo migrates: The Quayside Gazette, a local magazine of a harbour town.

Generated, the same every time: `python -m legacy.site` writes it to `build/legacy`, `serve.py` serves it.
"""
