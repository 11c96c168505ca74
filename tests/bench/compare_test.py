# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of tests/bench/compare; times are not tested."""
import array
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("compare", os.path.join(HERE, "compare"))
compare = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
loader.exec_module(compare)


class Compare(unittest.TestCase):
    def test_trilinear_gives_back_a_linear_field(self):
        n = 4
        values = array.array("f", (1 + 2 * x - 3 * y + 0.5 * z for z in range(n) for y in range(n) for x in range(n)))
        for x, y, z in ((0, 0, 0), (1.25, 2.5, 0.75), (2.9, 0.1, 3)):
            self.assertAlmostEqual(compare.trilinear(values, n, (x, y, z)), 1 + 2 * x - 3 * y + 0.5 * z, places=5)

    def test_ice_is_counted_in_cells(self):
        case = {"n": [3, 3, 3], "h": 1e-3, "probes_m": [[1.5e-3, 1.5e-3, 2e-3]]}
        values = array.array("f", [37.0] * 27)
        values[13], values[22], values[4] = -50.0, -10.0, 0.0
        figures = compare.ice_figures(values, case)
        self.assertAlmostEqual(figures["V0"], 3e-3)
        self.assertAlmostEqual(figures["V20"], 1e-3)
        self.assertAlmostEqual(figures["V40"], 1e-3)
        self.assertAlmostEqual(figures["probes"][0], -30)

    def test_largest_difference_of_ice_counts_and_small_volumes_do_not(self):
        peer = {"V0": 20.0, "V20": 10.0, "V40": 0.01, "probes": [-50.0, 3.0]}
        ours = {"V0": 20.2, "V20": 9.8, "V40": 0.02, "probes": [-50.5, 3.1]}
        kelvin, percent = compare.compare_ice([peer, ours], [peer, peer])
        self.assertAlmostEqual(kelvin, 0.5)
        self.assertAlmostEqual(percent, 2)

    def test_evaluation_is_read_by_name(self):
        text = ("BH-1 reference (Richardson): 97.0\npeer maxerr_probe(K) vs ref | same-grid(K) | dV50 %\n"
                "numba_explicit_f32                      0.243 |   0.0180 |    0.19   -0.05    0.72\n"
                "spinetherm                              0.242 |   0.0400 |    0.08   -0.21   -0.03\n")
        found = compare.parse_evaluation(text, "spinetherm")
        self.assertEqual(found, {"reference_K": 0.242, "same_grid_K": 0.04, "volumes_percent": [0.08, -0.21, -0.03]})
        self.assertIsNone(compare.parse_evaluation(text, "nobody"))

    def test_share_of_the_roof(self):
        roof = {"triad_GB_per_s": [{"MB": 1, "threads": 2, "rate": 200.0}, {"MB": 100, "threads": 2, "rate": 50.0},
                                   {"MB": 100, "threads": 1, "rate": 25.0}]}
        ours = {"cells": 1000, "cell_updates": 1e9, "peak_memory_MB": 80}
        self.assertAlmostEqual(compare.traffic_share("BH-1", ours, 0.8, roof, 2), 20e9 / 50e9 / 0.8)
        field = {"cells": 2e6, "iterations": 8, "peak_memory_MB": 150}
        self.assertAlmostEqual(compare.traffic_share("EL-1", field, 0.3, roof, 2), 180 * 16e6 / 50e9 / 0.3)
        self.assertIsNone(compare.traffic_share("BH-1", ours, 0.8, {"failed": "x"}, 2))
        self.assertIsNone(compare.traffic_share("RFA-full", ours, 0.8, roof, 2), "two runs and a field")

    def test_estimate_says_what_is_there(self):
        self.assertEqual(compare.describe_estimate({"peak_K": None, "zone_radius_mm": 0.14}),
                         "estimated error 0.14 mm of the zone's radius")
        self.assertEqual(compare.describe_estimate({"peak_K": 0.5, "zone_radius_mm": 0}),
                         "estimated error 0.5 K, 0 mm of the zone's radius")
        self.assertEqual(compare.describe_estimate({"peak_K": None, "zone_radius_mm": None}), "no error estimate")

    def test_what_is_met(self):
        self.assertTrue(compare.is_met("BH-1", 50.0, 0.1, 100))
        self.assertFalse(compare.is_met("BH-1", 49.9, 0.1, 100))
        self.assertIsNone(compare.is_met("BH-1", None, 0.1, 100), "no peer")
        self.assertFalse(compare.is_met("EL-1", 25.0, 0.3, 201), "memory")
        self.assertFalse(compare.is_met("RFA-full", None, 6.1, 100))
        self.assertTrue(compare.is_met("CRYO-3", None, 9.9, 5000))
        self.assertIsNone(compare.is_met("BH-1s", 3.0, 0.1, 100), "nothing must be reached")

    def test_growth(self):
        runs = [{"side": 96, "ns_per_update": 1.0, "peak_MB": 60}, {"side": 128, "ns_per_update": 1.5, "peak_MB": 110},
                {"failed": "no memory"}]
        figures = compare.growth_figures(runs, [{"solve_s": 3.4}, {"solve_s": 2.0}])
        self.assertAlmostEqual(figures["flatness"], 1.5)
        self.assertAlmostEqual(figures["speedup"], 1.7)
        self.assertTrue(figures["memory_kept"])
        runs[1]["peak_MB"] = 125  # 36 x 2 MB + 50
        self.assertFalse(compare.growth_figures(runs, [])["memory_kept"])

    def test_a_program_that_hangs_is_ended_with_its_children(self):
        begin = time.monotonic()
        code, _, err = compare.run(["sh", "-c", "sleep 60 & sleep 60"], 0.3)
        self.assertEqual(code, 124)
        self.assertIn("0.3 s", err)
        self.assertLess(time.monotonic() - begin, 20)

    def test_unusable_arguments_are_refused(self):
        with tempfile.TemporaryDirectory() as empty, open(os.devnull, "w") as quiet:
            out, sys.stderr = sys.stderr, quiet
            try:
                for arguments in ([empty, empty], [empty, empty, "--cases", "BH-9"], [empty, empty, "0"]):
                    with self.assertRaises(SystemExit) as refused:
                        compare.parse_arguments(arguments)
                    self.assertEqual(refused.exception.code, 2)
            finally:
                sys.stderr = out


if __name__ == "__main__":
    unittest.main()
