"""The members of the family: sizes, plans and seeds, read from family.json beside this file's folder."""
import json
from pathlib import Path

FAMILY = Path(__file__).resolve().parent.parent / "family.json"


def read_family():
    """{name: plan}; a plan's `tokens`, `batch_tokens` and `micro_tokens` count tokens, its rates are per step."""
    family = json.loads(FAMILY.read_text(encoding="utf-8"))
    return {name: {**family["defaults"], **plan} for name, plan in family["members"].items()}


def read_member(name):
    members = read_family()
    if name not in members:
        raise SystemExit(f"member: expected one of {', '.join(members)}, got {name}")
    return members[name]
