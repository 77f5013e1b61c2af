"""Demo stores, described in JSON files. Amounts are in the currency's smallest unit, ages in days."""

NORTHWOOD_ID = 267418190
KOBO_ID = 518203746
