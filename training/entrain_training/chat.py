"""The chat format: special tokens, the rendered order, and the template that tells other programs of it.

    <s><|system|>SYSTEM<|end|><|user|>TEXT<|end|><|assistant|>TEXT<|end|>...<|assistant|>TEXT<|leave|>

Nothing stands between the tokens. The last turn of a dialogue ends in <|leave|>: its speaker goes.
"""

BOS = "<s>"
SYSTEM = "<|system|>"
USER = "<|user|>"
ASSISTANT = "<|assistant|>"
END = "<|end|>"
LEAVE = "<|leave|>"
SPECIAL_TOKENS = [BOS, SYSTEM, USER, ASSISTANT, END, LEAVE]

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def render_ids(tokens, system, turns):
    """Token ids and, of equal length, whether each one is talk to be learned (1) or only read (0).

    tokens has encode(text) -> ids and id_of(special) -> id; turns is a list of (role, text), role being
    USER or ASSISTANT. What the speaker chooses is learned: words and the token that ends the turn.
    """
    ids, talk = [tokens.id_of(BOS)], [0]

    def add(new, learned):
        ids.extend(new)
        talk.extend([learned] * len(new))

    if system:
        add([tokens.id_of(SYSTEM)] + tokens.encode(system) + [tokens.id_of(END)], 0)
    for place, (role, text) in enumerate(turns):
        last = place == len(turns) - 1
        add([tokens.id_of(role)], 0)
        add(tokens.encode(text) + [tokens.id_of(LEAVE if last else END)], 1)
    return ids, talk
