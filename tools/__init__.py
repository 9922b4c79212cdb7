"""Typed doors from words to numbers: each tool computes with `quant/` and writes an entry in the evidence ledger."""
