// SPDX-License-Identifier: Apache-2.0
#include "datasets/scanner_family.h"

#include <algorithm>

#include "datasets/embedded_tables.h"

namespace spinetherm {
namespace {

/// Calls f(name, place of the value) for every setting.
template <class F>
void over_settings(SpinePhantomOptions& o, F f) {
  f("ct.psf_sigma_mm", &o.ct.psf_sigma_mm);
  f("ct.noise_HU", &o.ct.noise_HU);
  f("ct.noise_grain_mm", &o.ct.noise_grain_mm);
  f("ct.beam_hardening_HU", &o.ct.beam_hardening_HU);
  f("ct.bone_gain", &o.ct.bone_gain);
  f("cbct.psf_sigma_mm", &o.cbct.psf_sigma_mm);
  f("cbct.noise_HU", &o.cbct.noise_HU);
  f("cbct.noise_grain_mm", &o.cbct.noise_grain_mm);
  f("cbct.cupping_HU", &o.cbct.cupping_HU);
  f("cbct.streak_HU", &o.cbct.streak_HU);
  f("cbct.hu_scale", &o.cbct.hu_scale);
  f("projection.tube_kV", &o.projection.beam.tube_kV);
  f("projection.scatter_to_primary", &o.projection.detector.scatter_to_primary);
  f("mr.bias", &o.mr.bias);
  f("mr.psf_sigma_px", &o.mr.psf_sigma_px);
  for (MrSequence* q : {&o.mr.t1, &o.mr.t2, &o.mr.stir}) {
    const std::string name = q == &o.mr.t1 ? "mr.t1." : q == &o.mr.t2 ? "mr.t2." : "mr.stir.";
    f(name + "tr_ms", &q->tr_ms);
    f(name + "te_ms", &q->te_ms);
    if (q->ti_ms > 0) f(name + "ti_ms", &q->ti_ms);
    f(name + "snr", &q->snr);
    f("mr.tissues.t1", &q->tissues.t1);
    f("mr.tissues.t2", &q->tissues.t2);
    f("mr.tissues.proton_density", &q->tissues.proton_density);
  }
}

}  // namespace

ScannerFamily read_scanner_family(const JsonReader& document) {
  expect_format(document, "scanner_family");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  std::vector<std::string> names;
  SpinePhantomOptions options;
  over_settings(options, [&](const std::string& name, double*) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  });
  ScannerFamily out;
  const JsonReader list = document.at("settings");
  for (const JsonReader& r : list.elements()) {
    const std::string name = names[r.get_word("name", names)];
    const JsonReader value = r.at("held_out");
    const TableNumber number = table.number(value);
    if (!number.range) value.fail("a setting without a range", "say in which range real scanners lie");
    if (!out.emplace(name, number).second) r.at("name").fail("a setting is named twice", "keep one of them");
    r.finish();
  }
  for (const std::string& name : names)
    if (!out.count(name)) list.fail("no row for '" + name + "'", "add one");
  document.finish();
  return out;
}

const ScannerFamily& held_out_scanners() {
  static const ScannerFamily family = [] {
    const auto json = embedded_document("scanner_family.json");
    return read_scanner_family(JsonReader(json));
  }();
  return family;
}

void use_held_out_scanners(SpinePhantomOptions& options) {
  over_settings(options,
                [](const std::string& name, double* value) { *value = held_out_scanners().at(name).value; });
}

}  // namespace spinetherm
