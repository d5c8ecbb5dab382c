"""Hidden states with coupling planted in them, and splits of whole episodes."""
import numpy as np
import torch

TEST_SHARE = 0.2
TURNS = 20  # turn pairs in an episode
LATENTS = 32


def planted_states(n, layers, dims, device, seed):
    """A, B [layers, n, dims] in float32: latents that both share, in noise; the spectrum falls faster from layer to layer."""
    random = torch.Generator(device=device).manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=random, device=device)

    episode = torch.arange(n, device=device) // TURNS
    latent = (normal(n // TURNS + 1, LATENTS)[episode] + normal(n, LATENTS)) / 2**0.5
    strength = torch.logspace(0, -1.2, LATENTS, device=device)
    rank = torch.arange(1, dims + 1, device=device, dtype=torch.float32)
    sides = []
    for noise, fall, floor in ((3.0, 1.0, 0.0), (1.0, 0.2, 0.1)):
        states = torch.empty(layers, n, dims, device=device)
        for layer in range(layers):
            depth = layer / max(1, layers - 1)
            gain = 0.3 + 0.8 * depth * (1.4 - depth)
            coupled = (latent * strength) @ normal(LATENTS, dims) * gain + normal(n, dims) * noise
            states[layer] = coupled * rank ** -(fall * (1.0 + 0.5 * depth)) + normal(n, dims) * floor + normal(dims)
        sides.append(states)
    return sides[0], sides[1], episode.cpu().numpy()


def draw_splits(episode, count, seed):
    """Test episodes of each split: whole episodes until a fifth of the rows is drawn."""
    random, splits = np.random.default_rng(seed), []
    for _ in range(count):
        drawn = []
        for label in random.permutation(np.unique(episode)):
            if np.isin(episode, drawn).sum() >= TEST_SHARE * len(episode):
                break
            drawn.append(label)
        splits.append(drawn)
    return splits


def sides_of(episode, test_episodes, device):
    """Training rows and test rows."""
    test = np.isin(episode, test_episodes)
    return tuple(torch.from_numpy(np.flatnonzero(side)).to(device) for side in (~test, test))
