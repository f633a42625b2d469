"""What `quantize` writes is what verify-plan finds: on the sweep's own table, to the byte and to 1e-6 of every error."""
import itertools
import json
import pathlib
import subprocess
import unittest

import h5py

import written_checkpoints as written
from sweep_case import SweepCase
from sweeps import COMPLETE, USE_LITE, Job, Result, binary, environment

BAD_INPUT = 65
BITS, GROUPS = (2, 3, 4, 5, 6, 8), (32, 64, 128)
BLOCK_FORMATS = {"q8_0": (8, 32), "q6_k": (6, 256), "q5_k": (5, 256), "q4_k": (4, 256), "q3_k": (3, 256),
                 "q2_k": (2, 256), "nvfp4": (4, 16), "mxfp4_ocp": (4, 32), "mxfp4_ggml": (4, 32), "ct_int4": (4, 64),
                 "ct_int8": (8, 128)}


def pooled_errors(run_directory):
    """SSE of whole tensors by tensor, quantizer, bits and group."""
    with h5py.File(run_directory / "results.h5") as file:
        table = {name: column[:] for name, column in file["sensitivity/distortion"].items()}
    return {(table["tensor"][i].decode(), table["quantizer"][i].decode(), int(table["bits"][i]),
             int(table["group_size"][i])): float(table["sse"][i])
            for i in range(len(table["sse"])) if table["slice"][i] == -1}


class Written(SweepCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sweep = Job(cls.shared).sweep("run")
        sweep.run_to_digest()
        cls.run_directory = sweep.run_dir
        cls.source = written.read_source(USE_LITE)
        cls.sse = pooled_errors(sweep.run_dir)

    @classmethod
    def plan(cls, name, quantizer="affine"):
        """Every width and group in turn."""
        rows, count = [], 0
        for tensor, array in sorted(cls.source.items()):
            if array.ndim < 2 or not tensor.endswith(".weight"):
                rows.append(written.plan_row(tensor, array))
                continue
            bits, group = BITS[count % 6], GROUPS[count // 2 % 3]
            size = array.size * bits // 8 + array.size // group * 4
            rows.append(written.plan_row(tensor, array, quantizer=quantizer, bits=bits, group_size=group, bytes=size,
                                         sse=cls.sse[tensor, quantizer, bits, group]))
            count += 1
        cls.quantized = count
        return written.write_plan(cls.shared / name, rows)

    def moesweep(self, *arguments):
        done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, env=environment(),
                              check=False, timeout=300)
        return Result(done.returncode, done.stdout, done.stderr)

    def written(self, plan, to, name):
        out = pathlib.Path(self.shared) / name
        self.assert_ended(self.moesweep("quantize", self.run_directory, "--plan", plan, "--to", to, out), COMPLETE)
        return out

    def test_a_written_mlx_checkpoint_is_as_planned(self):
        plan = self.plan("mlx.json")
        out = self.written(plan, "mlx", "mlx")
        result = self.moesweep("verify-plan", plan, out, "--against", USE_LITE)
        self.assert_ended(result, COMPLETE)
        kept = len(self.source) - self.quantized
        self.assertGreater(kept, 0)
        self.assertIn(f"squared errors of {self.quantized} of {self.quantized} tensors as planned, {kept} of {kept} "
                      "kept tensors are the original's", result.out)
        self.assertNotIn("not compared", result.out)

    def test_a_flipped_exponent_bit_of_a_kept_tensor_is_an_offender(self):
        for quantizer, to in (("affine", "mlx"), ("rtn", "dequantized")):
            plan = self.plan(f"kept_{to}.json", quantizer)
            out = self.written(plan, to, f"kept_{to}")
            [file] = out.glob("*.safetensors")
            kept = next(row for row in json.loads(plan.read_text())["rows"] if row["action"] == "keep")
            data = bytearray(file.read_bytes())
            header = int.from_bytes(data[:8], "little")
            begin, end = json.loads(data[8:8 + header])[kept["tensor"]]["data_offsets"]
            data[8 + header + end - 1] ^= 0x40  # the highest bit of the last exponent
            file.write_bytes(data)
            with self.subTest(to):
                result = self.moesweep("verify-plan", plan, out, "--against", USE_LITE)
                self.assert_ended(result, BAD_INPUT)
                self.assertIn(kept["tensor"], result.out)
                self.assertIn(f"1 of {kept['params']} weights are not the original's, by up to", result.out)
                document = json.loads(self.moesweep("verify-plan", plan, out, "--against", USE_LITE, "--json").out)
                offenders = [check for check in document["kept"] if check["why"]]
                self.assertEqual([(check["tensor"], check["different"]) for check in offenders], [(kept["tensor"], 1)])
                self.assertFalse(document["ok"])
                # Sizes and types are right: without the original nothing is to be seen.
                if to == "mlx":
                    self.assert_ended(self.moesweep("verify-plan", plan, out), COMPLETE)

    def test_a_written_dequantized_checkpoint_is_as_planned(self):
        for quantizer in ("affine", "rtn"):
            with self.subTest(quantizer):
                plan = self.plan(f"{quantizer}.json", quantizer)
                out = self.written(plan, "dequantized", quantizer)
                result = self.moesweep("verify-plan", plan, out, "--against", USE_LITE)
                self.assert_ended(result, COMPLETE)
                self.assertIn(f"of {self.quantized} of {self.quantized} tensors", result.out)

    def test_every_block_format_is_written_dequantized_with_the_error_of_its_sweep(self):
        sweep = Job(self.shared, "blocks_job", quantizers=list(BLOCK_FORMATS)).sweep("blocks_run")
        sweep.run_to_digest()
        sse = pooled_errors(sweep.run_dir)
        names, rows = itertools.cycle(BLOCK_FORMATS), []
        for tensor, array in sorted(self.source.items()):
            if array.ndim < 2 or not tensor.endswith(".weight"):
                rows.append(written.plan_row(tensor, array))
                continue
            name = next(names)
            bits, group = BLOCK_FORMATS[name]
            rows.append(written.plan_row(tensor, array, quantizer=name, bits=bits, group_size=group, bytes=0,
                                         sse=sse[tensor, name, bits, group]))
        plan = written.write_plan(self.shared / "blocks.json", rows)
        out = self.shared / "blocks"
        self.assert_ended(self.moesweep("quantize", sweep.run_dir, "--plan", plan, "--to", "dequantized", out), COMPLETE)
        quantized = sum(row["action"] == "quantize" for row in rows)
        self.assertGreaterEqual(quantized, 11)
        result = self.moesweep("verify-plan", plan, out, "--against", USE_LITE)
        self.assert_ended(result, COMPLETE)
        self.assertIn(f"of {quantized} of {quantized} tensors", result.out)

    def test_an_allocated_plan_is_written_to_the_byte(self):
        plan = pathlib.Path(self.shared) / "allocated.json"
        self.assert_ended(self.moesweep("allocate", self.run_directory, "--target", "5bpw", "--for", "mlx",
                                        "--architecture", "generic", "--out", plan), COMPLETE)
        out = self.written(plan, "mlx", "allocated")
        result = self.moesweep("verify-plan", plan, out, "--against", USE_LITE, "--json")
        self.assert_ended(result, COMPLETE)
        document = json.loads(result.out)
        self.assertEqual(document["found_bytes"], document["planned_bytes"])
        self.assertGreater(len(document["errors"]), 5)
        for error in document["errors"]:
            self.assertAlmostEqual(error["measured_sse"] / error["planned_sse"], 1, delta=1e-7, msg=error["tensor"])

    def test_the_plan_of_another_checkpoint_is_caught(self):
        plan = self.plan("planned.json")
        out = self.written(plan, "mlx", "other")
        document = json.loads(plan.read_text())
        changed = next(row for row in document["rows"] if row["action"] == "quantize" and row["bits"] == 4)
        changed["bits"] = 5
        plan.write_text(json.dumps(document))
        result = self.moesweep("verify-plan", plan, out)
        self.assert_ended(result, BAD_INPUT)
        self.assertIn(changed["tensor"].removesuffix(".weight"), result.out)
        self.assertIn("has 4 bits instead of 5", result.out)


if __name__ == "__main__":
    unittest.main()
