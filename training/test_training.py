"""Run with `python3 -m unittest` in this folder; needs PyTorch, ONNX, a C compiler and Node with this project's packages, no text sources."""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy
import torch
from onnx import numpy_helper

from entrain_training.chat import ASSISTANT, END, LEAVE, USER, render_ids
from entrain_training.evaluate import torch_scorer
from entrain_training.export import write_onnx
from entrain_training.corpus import SOURCES
from entrain_training.fused import fused_loss, load_kernels
from entrain_training.llama2c import halves_order
from entrain_training.model import LlamaLm, Shape
from entrain_training.optimizer import orthogonalise
from entrain_training.shipped import MODELS, FolderTokens, score_onnx
from entrain_training.publish import load_trained
from entrain_training.tokenizer import merges_from_order
from entrain_training.train import Run, talk_loss, train, warmth
from entrain_training.views import TALK_BIT
from entrain_training.weights import FORMATS, as_int8, store_file

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


class StoredMatrices(unittest.TestCase):
    def test_int8_rounds_every_channel_by_its_own_scale(self):
        values = numpy.random.default_rng(1).standard_normal((40, 64)) * numpy.logspace(-3, 3, 64)
        for axis, matrix in ((0, values), (1, values.T)):
            tensors, _ = as_int8("m", matrix.astype(numpy.float32), axis)
            steps, scale = map(numpy_helper.to_array, tensors)
            off = abs(steps * scale - matrix).max(axis) / abs(matrix).max(axis)
            self.assertEqual(steps.dtype, numpy.int8)
            self.assertLess(off.max(), 0.51 / 127)

    def test_every_format_runs_and_says_nearly_the_same(self):
        torch.manual_seed(1)
        model = LlamaLm(SMALL)
        model.model.embed_tokens.weight.data *= 25  # an untrained model is sure of nothing, whatever its weights
        view = (numpy.arange(32, 64) * 7 % 64).astype(numpy.uint16) | numpy.uint16(TALK_BIT)
        logits, sizes = {}, {}
        with tempfile.TemporaryDirectory() as folder:
            for weights in FORMATS:
                sizes[weights] = write_onnx(model, Path(folder, weights), weights)
            store_file(Path(folder, "float16/onnx/model.onnx"), Path(folder, "again.onnx"), "int8")
            for name in [f"{weights}/onnx/model.onnx" for weights in FORMATS] + ["again.onnx"]:
                _, logits[name.split("/")[0]] = score_onnx(Path(folder, name), [numpy.tile(view, 3)])
        self.assertGreater(sizes["float32"], sizes["float16"])
        self.assertGreater(sizes["float16"], sizes["int8"])
        spread = logits["float32"].std()
        for name, most in (("float16", 0.001), ("int8", 0.02), ("again.onnx", 0.02)):
            off = (logits[name] - logits["float32"]).std() / spread
            self.assertGreater(off, 0, name)
            self.assertLess(off, most, name)


class ScorersAgree(unittest.TestCase):
    def test_pytorch_and_onnx_give_the_same_nats(self):
        torch.manual_seed(1)
        model = LlamaLm(SMALL)
        rng = numpy.random.default_rng(1)
        # 96 tokens: the scorer times itself behind the first 64
        views = [(rng.integers(0, 64, 96) | TALK_BIT * (rng.random(96) < 0.6)).astype(numpy.uint16) for _ in range(3)]
        with tempfile.TemporaryDirectory() as folder:
            write_onnx(model, folder, "float32")
            scored, _ = score_onnx(Path(folder, "onnx", "model.onnx"), views)
        for nats, other in zip(torch_scorer(model)(views), scored["nats"]):
            self.assertAlmostEqual(nats, other, places=3)


class TokensOfAModelFolder(unittest.TestCase):
    def test_words_and_special_tokens(self):
        tokens = FolderTokens(MODELS / "entrain-dialogue-4m")
        self.addCleanup(tokens.close)
        line = 'Hi, "Zoë"!\nHow are you?'
        ids = tokens.encode(line)
        self.assertEqual(len(tokens.encode(line + line)), 2 * len(ids))
        self.assertEqual([tokens.id_of(END), tokens.id_of(LEAVE)], [5, 6])
        self.assertNotIn(tokens.id_of("<unk>"), ids)


class StopsByHeldOutLoss(unittest.TestCase):
    """Four views learned by heart teach nothing about other talk."""

    def setUp(self):
        self.work = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.work)
        rng = numpy.random.default_rng(1)
        for folder in ("store", "member"):
            Path(self.work, folder).mkdir()
        for source in SOURCES:
            for side, views in (("train", 4), ("held-out", 6)):
                tokens = (rng.integers(8, 24, 32 * views) | TALK_BIT).astype(numpy.uint16)
                numpy.savez(Path(self.work, "store", f"{source}.{side}.npz"), tokens=tokens, starts=numpy.arange(0, 32 * views + 1, 32))
        self.member = {"seed": 1, "tokens": 2_000_000, "batch_tokens": 512, "micro_tokens": 512, "check_steps": 10,
                       "matrix_rate": 0.02, "other_rate": 0.003, "shape": vars(SMALL)}

    def test_long_before_the_plan_and_with_the_best_weights(self):
        run = Run(self.member, Path(self.work, "member"), "cpu")
        train(run, Path(self.work, "store"), None, Path(self.work, "loss.jsonl"))
        self.assertLess(run.seen["tokens"], 500_000)
        entries = [json.loads(line) for line in Path(self.work, "loss.jsonl").read_text().splitlines()]
        losses = [entry["held_out"] for entry in entries if "held_out" in entry]
        self.assertGreater(losses[-1], min(losses) + 0.05)
        self.assertAlmostEqual(run.patience.state["best"], min(losses), places=1)
        best, _ = load_trained(self.work, "member")
        self.assertGreater(float((best.state_dict()["model.embed_tokens.weight"] - run.model.state_dict()["model.embed_tokens.weight"]).abs().max()), 0)


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
