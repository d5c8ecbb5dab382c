"""What each published source holds, as contexts and turns in the order of its files. A reader knows nothing of git, hashes or what is left out.

A reader gets `files`, the pairs (path, bytes) of its source in the order of the manifest, and yields (context, turns).
"""
import csv
import io
import json
import re

from .clean import clean, turns_of

DEAL_BUTTONS = {"Submit-Deal", "Accept-Deal", "Reject-Deal", "Walk-Away"}
CAMPSITE = "Scenario: Two campsite neighbors negotiate over packages of food, water and firewood for their camping trip."
DONATION = """Scenario: Two strangers talk in an online task.
Person 1: wants to persuade the other person to donate part of the payment for this task to the children's charity Save the Children.
Person 2: was paid for this task and decides how much to donate."""
ARTICLES = "Scenario: Two people who have read the same articles chat about topics they find interesting."
COFFEE = "Scenario: Person 1 orders at a coffee shop. Person 2 takes the order."
TOPICS = {"action": "action movies", "baseball": "baseball", "basketball": "basketball", "beatles": "the Beatles", "comedy": "comedy movies",
          "disney": "Disney movies", "fashion": "fashion", "fast_furious": "the Fast and Furious films", "harry_potter": "Harry Potter",
          "horror": "horror movies", "icehockey": "ice hockey", "lady_gaga": "Lady Gaga", "movies": "movies", "music": "music",
          "music_and_movies": "music and movies", "nfl_football": "NFL football", "pop": "pop music", "rap_hiphop": "rap and hip hop",
          "rock": "rock music", "star_wars": "Star Wars", "superhero": "superhero movies", "thriller": "thriller movies",
          "transition_music_movies": "music and movies"}
SPOKEN = {"utter", "pick_suggestion"}
FORM = re.compile(r"Come up with your own scenario!|About you:|The AI Assistant can handle:.*", re.DOTALL)


def read_casino(files):
    for _, raw in files:
        for item in json.loads(raw):
            said = [(line["id"], line["text"]) for line in item["chat_logs"] if line["text"] not in DEAL_BUTTONS]
            people = item["participant_info"]
            order = [said[0][0], *(name for name in people if name != said[0][0])]
            lines = [f"Person {place + 1}: {needs(people[name])}" for place, name in enumerate(order)]
            yield "\n".join([CAMPSITE, *lines]), turns_of(said)


def needs(person):
    """Which package a person needs most, then, and least, each with the reason."""
    what, why = person["value2issue"], person["value2reason"]
    ranks = [("most", "High"), ("then", "Medium"), ("least", "Low")]
    told = [f"{word} {what[rank].lower()} ({clean(why[rank])})" for word, rank in ranks]
    return f"needs {'; '.join(told)}."


def read_persuasion(files):
    talks = {}
    for _, raw in files:
        for row in csv.DictReader(io.StringIO(raw.decode("utf-8"))):
            talks.setdefault(row["B2"], []).append((row["B4"], row["Unit"]))
    for _, said in sorted(talks.items()):
        yield DONATION, turns_of(said)


def read_topical_chat(files):
    for _, raw in files:
        for _, item in sorted(json.loads(raw).items()):
            yield ARTICLES, turns_of([(line["agent"], line["message"]) for line in item["content"]])


def read_taskmaster(files):
    for _, raw in files:
        for item in json.loads(raw):
            yield COFFEE, turns_of([(line["speaker"], line["text"]) for line in item["utterances"]])


def read_star(files):
    for _, raw in files:
        item = json.loads(raw)
        if item["CompletionLevel"] != "Complete":
            continue
        said = [(event["Agent"], event["Text"]) for event in item["Events"]
                if event.get("Agent") in ("User", "Wizard") and event["Action"] in SPOKEN and clean(event.get("Text", ""))]
        domains = " and ".join(domain or "everyday questions" for domain in item["Scenario"]["Domains"])
        task = clean(re.sub(r"(^|\s)- ", " ", FORM.sub("", item["Scenario"]["UserTask"])))
        lines = [task, f"is an assistant who helps with {domains}."]
        if said and said[0][0] == "Wizard":
            lines.reverse()
        yield "\n".join(f"Person {place + 1}: {line}" for place, line in enumerate(lines)), turns_of(said)


def read_self_dialogue(files):
    """The first file names the writers whom the collectors blocked; the others hold a dialogue a row, under the folder of its topic."""
    blocked = set(files[0][1].decode().split())
    for path, raw in files[1:]:
        topic = TOPICS[path.split("/")[1]]
        for row in csv.DictReader(io.StringIO(raw.decode("utf-8"))):
            if row["WorkerId"] not in blocked:
                count = sum(str(name).startswith("Answer.sentence") for name in row)
                said = [row[f"Answer.sentence{place}"] for place in range(1, count + 1)]
                yield f"Scenario: Two people chat about {topic}.", turns_of(in_turn(said))


def in_turn(texts):
    """The two speakers in turn over the texts that are not empty."""
    return [(place % 2, text) for place, text in enumerate(text for text in texts if text)]


READERS = {"casino": read_casino, "persuasion-for-good": read_persuasion, "topical-chat": read_topical_chat,
           "taskmaster-4": read_taskmaster, "star": read_star, "self-dialogue": read_self_dialogue}
