"""Task dialogues by seed: scenarios with private facts, talk about them, and rules that score it."""
