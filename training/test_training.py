"""Run with `python3 -m unittest` in this folder; needs PyTorch and a C compiler, no text sources."""
import unittest

import numpy
import torch

from entrain_training.chat import ASSISTANT, USER, render_ids
from entrain_training.fused import fused_loss, load_kernels
from entrain_training.llama2c import halves_order
from entrain_training.model import LlamaLm, Shape
from entrain_training.optimizer import orthogonalise
from entrain_training.tokenizer import merges_from_order
from entrain_training.train import talk_loss, warmth

SMALL = Shape(vocab=64, width=32, layers=2, heads=2, kv_heads=2, ff=48)


class Letters:
    """Stands for a tokenizer: a letter is its code, a special token the sum of its codes."""

    def encode(self, text):
        return [ord(letter) for letter in text]

    def id_of(self, special):
        return -sum(map(ord, special))


class KernelsAgreeWithPyTorch(unittest.TestCase):
    def test_loss_and_gradients(self):
        torch.manual_seed(1)
        model, kernels = LlamaLm(SMALL), load_kernels()
        ids = numpy.random.default_rng(1).integers(0, 64, (3, 38))
        learned = numpy.random.default_rng(2).random((3, 38)) < 0.7
        results = []
        for chosen in (None, kernels):
            model.zero_grad()
            loss, _ = talk_loss(model, ids, learned, "cpu", chosen)
            loss.backward()
            results.append((loss.item(), {name: weight.grad.clone() for name, weight in model.named_parameters()}))
        (plain, plain_grads), (fused, fused_grads) = results
        self.assertAlmostEqual(fused / plain, 1, places=3)
        for name, grad in plain_grads.items():
            self.assertLess(float((fused_grads[name] - grad).norm() / grad.norm()), 0.05, name)


class CacheGivesTheSameLogits(unittest.TestCase):
    def test_cut_prefill(self):
        torch.manual_seed(1)
        model = LlamaLm(SMALL).eval()
        ids = torch.arange(12)[None]
        whole, _ = model(ids)
        _, pasts = model(ids[:, :7])
        rest, _ = model(ids[:, 7:], pasts=pasts)
        self.assertLess(float((rest - whole[:, 7:]).abs().max()), 1e-5)


class ChatFormat(unittest.TestCase):
    def test_only_words_and_endings_are_learned(self):
        ids, talk = render_ids(Letters(), "S", [(USER, "ab"), (ASSISTANT, "c")])
        learned = [token for token, counts in zip(ids, talk) if counts]
        self.assertEqual(learned, [97, 98, Letters().id_of("<|end|>"), 99, Letters().id_of("<|leave|>")])


class SmallThings(unittest.TestCase):
    def test_merges_follow_the_order_of_the_pieces(self):
        self.assertEqual(merges_from_order(["ab", "abc", "a", "b", "c"]), ["a b", "ab c"])

    def test_rotary_rows_go_from_neighbours_to_halves(self):
        rows = numpy.arange(8)[:, None]
        self.assertEqual(halves_order(rows, 4).ravel().tolist(), [0, 2, 1, 3, 4, 6, 5, 7])

    def test_orthogonal_factor_has_even_singular_values(self):
        torch.manual_seed(1)
        values = torch.linalg.svdvals(orthogonalise(torch.randn(24, 16)).float())
        self.assertGreater(float(values.min()), 0.4)
        self.assertLess(float(values.max()), 1.4)

    def test_learning_rate_rises_stays_and_falls(self):
        self.assertLess(warmth(0, 0), 0.1)
        self.assertEqual(warmth(500, 0.5), 1.0)
        self.assertAlmostEqual(warmth(500, 1.0), 0.0)


if __name__ == "__main__":
    unittest.main()
