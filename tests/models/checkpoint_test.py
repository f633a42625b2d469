"""Checkpoints are read as their formats define them, and refused when config.json and tensors don't agree."""
import json
import pathlib
import tempfile
import unittest

import numpy

import checkpoint
import small_models
import written_checkpoints

F32 = numpy.float32
U32 = numpy.uint32


class Packing(unittest.TestCase):
    """Words worked out by hand: code i has bits i * bits and up of the stream."""

    def unpacks(self, bits, words, codes):
        self.assertEqual(checkpoint.unpack(numpy.array([words], U32), bits).tolist(), [codes])

    def test_TwoBits(self):
        self.unpacks(2, [0xE4E4E4E4], [0, 1, 2, 3] * 4)

    def test_ThreeBits(self):
        # 7 6 5 4 3 2 1 0 from the highest is 111110101100011010001000: bytes 88 C6 FA, four times
        self.unpacks(3, [0x88FAC688, 0xC688FAC6, 0xFAC688FA], list(range(8)) * 4)

    def test_FourBits(self):
        self.unpacks(4, [0x76543210, 0xFEDCBA98], list(range(16)))

    def test_FiveBits(self):
        # code 6 has bits 30 to 34: 10111 is 11 on top of word 0 and 101 at the bottom of word 1; code 31 has 155 to 159
        self.unpacks(5, [0xC0000000, 5, 0, 0, 0x08000000], [0] * 6 + [0b10111] + [0] * 24 + [1])

    def test_SixBits(self):
        # code 5 has bits 30 to 35: 101101 is 01 on top of word 0 and 1011 at the bottom of word 1; code 31 has 186 to 191
        self.unpacks(6, [0x40000000, 0xB, 0, 0, 0, 0xFC000000], [0] * 5 + [0b101101] + [0] * 25 + [63])

    def test_EightBits(self):
        self.unpacks(8, [0x44332211, 0xFF000001], [0x11, 0x22, 0x33, 0x44, 1, 0, 0, 255])

    def test_EveryWidthAsAnotherReaderUnpacksIt(self):
        for bits in (2, 3, 4, 5, 6, 8):
            words = numpy.random.default_rng(bits).integers(0, 2 ** 32, (3, 2, 2 * bits), U32)
            self.assertTrue(numpy.array_equal(checkpoint.unpack(words, bits), written_checkpoints.unpack(words, bits)))

    def test_DequantizedIsCodeTimesScalePlusBiasInFloat32(self):
        words = numpy.array([[0x76543210] * 8], U32)  # codes 0 to 7, in two groups of 32
        found = checkpoint.dequantize(words, numpy.array([[0.5, 0.1]], F32), numpy.array([[-1, 0.3]], F32), 4)
        self.assertEqual(found.dtype, F32)
        self.assertEqual(found[0, :8].tolist(), [-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5])
        self.assertEqual(found[0, 33], F32(0.1) + F32(0.3))
        self.assertEqual(found[0, 39], F32(7) * F32(0.1) + F32(0.3))


class Folder(unittest.TestCase):
    def setUp(self):
        self._temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self._temporary.cleanup)
        self.folder = pathlib.Path(self._temporary.name)

    def write(self, arrays, **config):
        return small_models.write_model(self.folder, config, arrays)

    def refused(self, words):
        with self.assertRaisesRegex(checkpoint.CheckpointError, words):
            model = checkpoint.load(self.folder)
            for name in model.weights:
                model.weights[name]


class PlainTensors(Folder):
    def test_EveryFloatIsWidened(self):
        bits = numpy.array([0x3F80, 0xC040, 0x0001], numpy.uint16)  # 1, -3 and the smallest subnormal of BF16
        self.write({"a": ("BF16", bits), "b": numpy.array([[0.1]], numpy.float16), "c": numpy.array([0.1], F32)})
        weights = checkpoint.load(self.folder).weights
        self.assertEqual(weights["a"].tolist(), [1, -3, 2.0 ** -133])
        self.assertEqual(weights["b"].tolist(), [[float(numpy.float16(0.1))]])
        self.assertEqual([weights[name].dtype for name in "abc"], [F32] * 3)

    def test_ShardsThatTheIndexNamesAreReadAndCounted(self):
        self.write({"stray": numpy.ones(1, F32)})
        for name in "ab":
            small_models.write_safetensors(self.folder / f"{name}.safetensors", {name: numpy.ones(2, F32)})
        index = self.folder / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": {name: f"{name}.safetensors" for name in "ab"}}))
        model = checkpoint.load(self.folder)
        self.assertEqual(sorted(model.weights), ["a", "b"])
        self.assertEqual(model.weight_bytes, sum((self.folder / f"{name}.safetensors").stat().st_size for name in "ab"))
        (self.folder / "b.safetensors").unlink()
        self.refused("lacks b.safetensors")

    def test_OtherDtypesAreRefused(self):
        self.write({"a": ("F8_E4M3", numpy.zeros(2, numpy.uint8))})
        self.refused("a is F8_E4M3")

    def test_OtherFilesAreRefused(self):
        self.write({"a": numpy.ones(1, F32)})
        (self.folder / "model.safetensors").write_bytes(b"\xff" * 100)
        self.refused("not a safetensors file")

    def test_FoldersWithoutConfigOrWeightsAreRefused(self):
        self.refused("no config.json")
        (self.folder / "config.json").write_text("{}")
        self.refused("no \\*.safetensors")


class QuantizedModules(Folder):
    """m: 4 bits in groups of 32, one row of 64 weights."""

    def arrays(self, **other):
        return {"m.weight": numpy.full((1, 8), 0x76543210, U32), "m.scales": numpy.full((1, 2), 0.5, numpy.float16),
                "m.biases": numpy.full((1, 2), -1, numpy.float16), **other}

    def test_BitsOfTheModuleWin(self):
        self.write(self.arrays(), quantization={"bits": 8, "group_size": 64, "m": {"bits": 4, "group_size": 32}})
        model = checkpoint.load(self.folder)
        self.assertEqual(list(model.weights), ["m.weight"])
        self.assertEqual(model.weights["m.weight"][0, :4].tolist(), [-1, -0.5, 0, 0.5])

    def test_BitsOfTheWholeAreTheDefault(self):
        self.write(self.arrays(), quantization={"bits": 4, "group_size": 32})
        self.assertEqual(checkpoint.load(self.folder).weights["m.weight"].shape, (1, 64))

    def test_ShapesOfOtherBitsAreRefused(self):
        self.write(self.arrays(), quantization={"bits": 3, "group_size": 32})
        self.refused("aren't those of 3 bits in groups of 32")

    def test_OtherModesAreRefused(self):
        self.write(self.arrays(), quantization={"bits": 4, "group_size": 32, "mode": "mxfp4"})
        self.refused("mode mxfp4")

    def test_ScalesThatConfigDoesNotNameAreRefused(self):
        self.write(self.arrays())
        self.refused("no \"quantization\"")
        self.write(self.arrays(), quantization={"bits": 4, "group_size": 32, "m": False})
        self.refused("isn't quantized")

    def test_MissingBiasesAreRefused(self):
        arrays = self.arrays()
        del arrays["m.biases"]
        self.write(arrays, quantization={"bits": 4, "group_size": 32})
        self.refused("no biases")

    def test_CodesWithoutScalesAreRefused(self):
        self.write({"m.weight": numpy.zeros((1, 8), U32)}, quantization={"bits": 4, "group_size": 32})
        self.refused("codes without scales")

    def test_OtherMethodsAreRefused(self):
        self.write({"m.weight": numpy.zeros((1, 8), F32)}, quantization_config={"quant_method": "gptq"})
        self.refused("quantized with gptq")


if __name__ == "__main__":
    unittest.main()
