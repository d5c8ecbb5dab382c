"""Random numbers that TypeScript repeats: `deriveSeed` of src/protocol/seed.ts and the sfc32 of src/protocol/random.ts."""

MASK = 0xFFFFFFFF


def signed(value):
    value &= MASK
    return value - 0x100000000 if value & 0x80000000 else value


def derive_seed(*parts):
    """A 32-bit hash of numbers and texts."""
    bits = 0x811C9DC5
    for char in "\u001f".join(map(str, parts)):
        bits = ((bits ^ ord(char)) * 0x01000193) & MASK
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & MASK
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & MASK
    return bits ^ (bits >> 16)


def mix(value):
    bits = value & MASK
    bits = ((bits ^ (bits >> 16)) * 0x21F0AAAD) & MASK
    bits = ((bits ^ (bits >> 15)) * 0x735A2D97) & MASK
    return bits ^ (bits >> 15)


class Draws:
    """Uniform draws; one number of sfc32 for each of `below`."""

    def __init__(self, seed):
        self.state = [mix(seed), mix(seed ^ 0x9E3779B9), mix(seed ^ 0x85EBCA6B)]
        self.counter = 1
        for _ in range(15):
            self.next()

    def next(self):
        """A number in [0, 1)."""
        a, b, c = self.state
        total = (a + b + self.counter) & MASK
        self.counter += 1
        self.state = [b ^ (b >> 9), (c + (c << 3)) & MASK, (((c << 21) | (c >> 11)) + total) & MASK]
        return total / 2**32

    def below(self, count):
        """A whole number from 0 to count - 1."""
        return int(self.next() * count)

    def pick(self, choices):
        return choices[self.below(len(choices))]

    def sample(self, choices, count):
        """`count` different ones: each is taken out of the rest, in order of drawing."""
        rest = list(choices)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]
