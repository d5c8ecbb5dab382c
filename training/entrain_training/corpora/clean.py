"""One text of a speaker in plain characters, and the turns of a dialogue."""
import html
import re
import unicodedata

SAME = {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u00b4": "'", "`": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"', "\u2026": "...", "\u00a0": " ", "\u200b": "", "\ufeff": ""}
PLAIN = str.maketrans(SAME)
# Quotes and dashes written in GBK and read in Latin-1, as persuasion-for-good has them; an apostrophe with its backslash.
REPAIRS = {"\\'": "'", "\u00a1\u00aa": "\u2014", "\u00a1\u00b0": '"', "\u00a1\u00b1": '"'}
TAGS = "b|i|u|br|p|a|em|strong|span|div|img|li|ul|font"
RULES = [(re.compile(rf"</?(?:{TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE), " "), (re.compile(r"''"), '"'),
         (re.compile(r"(?<=\d)[\u2013\u2014](?=\$?\d)"), "-"), (re.compile(r"\s*(?:--+|[\u2013\u2014\u2015])\s*"), " - "),
         (re.compile(r"\.(?: \.){2,}"), "..."), (re.compile(r"([.!?,])\1{4,}"), r"\1\1\1")]
FEWEST_TURNS = 4


def clean(text):
    text = html.unescape(text)
    for wrong, right in REPAIRS.items():
        text = text.replace(wrong, right)
    text = text.translate(PLAIN)
    for pattern, plain in RULES:
        text = pattern.sub(plain, text)
    kept = (char for char in text if char in "\n\t" or unicodedata.category(char) != "Cc")
    return " ".join("".join(kept).split())


def turns_of(messages):
    """[{"speaker": 0|1, "text"}] of [(who, text)]: neighbours of one person joined, empty ones left out, the first speaker 0."""
    joined = []
    for who, text in ((who, clean(text)) for who, text in messages):
        if text and joined and joined[-1][0] == who:
            joined[-1][1] += " " + text
        elif text:
            joined.append([who, text])
    return [{"speaker": int(who != joined[0][0]), "text": text} for who, text in joined]
