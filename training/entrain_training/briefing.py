"""What one speaker is told before the talk: the SYSTEM text, from that speaker's point of view.

    Scenario: ...
    You: ...
    Goal: ...
    Secret: ...

Any line may be missing. The other's persona is never told. This file knows nothing about tokens.
"""
import random
import re

from .corpus import context_lines

LINE_ORDER = ["Scenario", "You", "Goal", "Secret"]
DROPPED_LINE_CHANCE = 0.1
MEETINGS = ["Two people meet and get to know each other.", "Two strangers chat.", "Two people talk about their lives.",
            "Two people meet for the first time.", "A friendly talk between two people."]
COMPANY_GOALS = ["Get to know the other person.", "Have a friendly talk.", "Find something in common.",
                 "Learn about the other person's life.", "Tell about yourself."]
NAME = re.compile(r"\b(?:[Mm]y name is|[Mm]y name's|I'm|I am) ([A-Z][a-z]{2,10})(?=[.,!?]|$)")


def own_name(dialogue, speaker):
    """The first name this speaker gives in the first turns, or None."""
    for turn in dialogue["turns"][:6]:
        found = NAME.search(turn["text"]) if turn["speaker"] == speaker else None
        if found:
            return found.group(1)
    return None


def persona_briefing(dialogue, speaker, lines, rng):
    facts = [fact.strip() for fact in re.split(r"(?<=[.!?])\s+", lines["own"]) if fact.strip()]
    brief = {}
    if len(facts) > 2 and rng.random() < 0.35:
        brief["Secret"] = facts.pop(rng.randrange(len(facts)))
    name = own_name(dialogue, speaker)
    if name and rng.random() < 0.7:
        facts.insert(0, f"{name}.")
    brief["You"] = " ".join(facts)
    if rng.random() < 0.5:
        brief["Scenario"] = rng.choice(MEETINGS)
    if rng.random() < 0.4:
        brief["Goal"] = rng.choice(COMPANY_GOALS)
    return brief


def casino_briefing(dialogue, speaker, lines, rng):
    needs, reasons = lines["own"], re.findall(r"\(([^()]*)\)", lines["own"])
    if rng.random() < 0.5:
        return {"Scenario": lines["Scenario"], "Goal": needs}
    bare = re.sub(r"\s*\([^()]*\)", "", needs).rstrip(".")
    where = "Secret" if rng.random() < 0.5 else "You"
    return {"Scenario": lines["Scenario"], "Goal": f"{bare}.", where: " ".join(reasons)}


def persuasion_briefing(dialogue, speaker, lines, rng):
    own = lines["own"]
    if own.startswith("wants to "):
        return {"Scenario": lines["Scenario"], "Goal": own[9].upper() + own[10:]}
    return {"Scenario": lines["Scenario"], "You": "I was paid for this task.", "Goal": "Decide how much to donate."}


def star_briefing(dialogue, speaker, lines, rng):
    own = lines["own"]
    if speaker == 1:
        return {"Scenario": "Someone asks an assistant for help.", "You": own.replace("is an assistant", "An assistant", 1)}
    return {"Scenario": "Someone asks an assistant for help.", "Goal": "" if "MTurk" in own else own}


def helped_briefing(dialogue, speaker, lines, rng):
    topic = re.sub(r".*for help with ", "", lines["Scenario"])
    roles = [{"Goal": f"Get help with {topic}"}, {"You": "An assistant.", "Goal": f"Help with {topic}"}]
    return {"Scenario": f"Someone asks an assistant for help with {topic}", **roles[speaker]}


def playlist_briefing(dialogue, speaker, lines, rng):
    roles = [{"Goal": "Build a music playlist."}, {"Goal": "Help to find songs."}]
    return {"Scenario": "Two people build a music playlist.", **roles[speaker]}


def coffee_briefing(dialogue, speaker, lines, rng):
    roles = [{"You": "A customer.", "Goal": "Order coffee."}, {"You": "A barista.", "Goal": "Take the order."}]
    return {"Scenario": "A customer orders at a coffee shop.", **roles[speaker]}


def scenario_briefing(dialogue, speaker, lines, rng):
    return {"Scenario": lines["Scenario"], "Goal": rng.choice(COMPANY_GOALS) if rng.random() < 0.1 else ""}


BRIEFINGS = {"synthetic-persona-chat": persona_briefing, "casino": casino_briefing,
             "persuasion-for-good": persuasion_briefing, "star": star_briefing, "cpcd": playlist_briefing,
             "schema-guided-dialogue": helped_briefing, "taskmaster-4": coffee_briefing}


def brief(source, number, dialogue, speaker):
    """The SYSTEM text for this speaker; which lines it has depends on source, number and speaker alone."""
    rng = random.Random(f"{source}/{number}/{speaker}")
    lines = context_lines(dialogue)
    lines["own"] = lines[f"Person {speaker + 1}"]
    told = BRIEFINGS.get(source, scenario_briefing)(dialogue, speaker, lines, rng)
    kept = [name for name in LINE_ORDER if told.get(name) and rng.random() >= DROPPED_LINE_CHANCE]
    return "\n".join(f"{name}: {told[name]}" for name in kept)
