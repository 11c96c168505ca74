// SPDX-License-Identifier: Apache-2.0
#include "datasets/scanner_family.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

StructureValue value(const char* name) { return *structure_value(name); }

SpinePhantomOptions family(bool held_out) {
  SpinePhantomOptions o;
  o.levels = {"L3"};
  o.spine.spread = 0;
  o.spine.held_out = held_out;
  o.spacing_mm = 1.5;
  o.supersample = 2;
  if (held_out) use_held_out_scanners(o);
  o.mr.stack.slice_mm = 2;
  o.mr.stack.gap_mm = 0;
  return o;
}

struct Seen {
  double mean = 0, sd = 0;
};
/// Of a label's voxels whose neighbours in the plane, two voxels each way, have it too.
Seen seen(const Volume<float>& image, const Volume<StructureValue>& labels, const char* name) {
  const auto& size = labels.grid.size;
  double sum = 0, squares = 0, count = 0;
  for (int k = 0; k < size[2]; ++k)
    for (int j = 2; j < size[1] - 2; ++j)
      for (int i = 2; i < size[0] - 2; ++i) {
        bool same = true;
        for (int b = -2; b <= 2 && same; ++b)
          for (int a = -2; a <= 2 && same; ++a) same = labels(i + a, j + b, k) == value(name);
        if (!same) continue;
        sum += double(image(i, j, k));
        squares += double(image(i, j, k)) * double(image(i, j, k));
        ++count;
      }
  EXPECT_GT(count, 20) << name;
  return {sum / count, std::sqrt(std::max(0.0, squares / count - sum / count * sum / count))};
}

TEST(ScannerFamily, BothFamiliesLieWhereRealScannersDo) {
  SpinePhantomOptions held_out;
  use_held_out_scanners(held_out);
  EXPECT_NO_THROW(held_out.validate());
  for (const auto& [name, number] : held_out_scanners()) {
    EXPECT_GE(number.value, (*number.range)[0]) << name;
    EXPECT_LE(number.value, (*number.range)[1]) << name;
    EXPECT_FALSE(number.provenance.source.empty()) << name;
  }
  const SpinePhantomOptions development;
  const auto within = [&](const char* name, double v) {
    const TableNumber& n = held_out_scanners().at(name);
    EXPECT_GE(v, (*n.range)[0]) << name;
    EXPECT_LE(v, (*n.range)[1]) << name;
    EXPECT_GT(std::abs(v - n.value), 0.05 * std::abs(n.value)) << name << ": the families must differ";
  };
  within("ct.noise_HU", development.ct.noise_HU);
  within("ct.psf_sigma_mm", development.ct.psf_sigma_mm);
  within("ct.bone_gain", development.ct.bone_gain);
  within("cbct.noise_HU", development.cbct.noise_HU);
  within("cbct.hu_scale", development.cbct.hu_scale);
  within("projection.tube_kV", development.projection.beam.tube_kV);
  within("mr.bias", development.mr.bias);
  within("mr.t1.tr_ms", development.mr.t1.tr_ms);
  within("mr.t2.te_ms", development.mr.t2.te_ms);
  within("mr.stir.ti_ms", development.mr.stir.ti_ms);
}

TEST(ScannerFamily, TheFamiliesDifferInContrastAndNoiseAndKeepTheTissuesRanges) {
  const SpinePhantom a = make_spine_phantom(family(false)), b = make_spine_phantom(family(true));
  // CT numbers: the ranges that the phantom's own test holds.
  for (const SpinePhantom* p : {&a, &b})
    for (const auto& [name, low, high] : std::vector<std::tuple<const char*, double, double>>{
             {"muscle", 40, 65}, {"fat", -110, -80}, {"aorta", 35, 55}, {"vertebra_body_L3", 100, 260}}) {
      const double hu = seen(p->ct.volume, p->anatomy.labels, name).mean;
      EXPECT_GT(hu, low) << name;
      EXPECT_LT(hu, high) << name;
    }
  // Noise, in the aorta.
  const auto noise = [](const Image& image, const Volume<StructureValue>& labels) {
    return seen(image.volume, labels, "aorta").sd;
  };
  EXPECT_GT(noise(b.ct, b.anatomy.labels), 1.2 * noise(a.ct, a.anatomy.labels));
  EXPECT_GT(noise(b.cbct, b.labels_cbct), 1.1 * noise(a.cbct, a.labels_cbct));
  // Contrast: muscle over fat, weighting by weighting, follows the physics of each family and differs.
  const auto contrast = [](const Image& image, const SpinePhantom& p) {
    return seen(image.volume, p.labels_mri, "muscle").mean / seen(image.volume, p.labels_mri, "fat").mean;
  };
  int differ = 0;
  for (const auto& [x, y] : {std::pair{&a.mri_t1, &b.mri_t1}, std::pair{&a.mri_t2, &b.mri_t2},
                             std::pair{&a.mri_stir, &b.mri_stir}}) {
    const double one = contrast(*x, a), other = contrast(*y, b);
    differ += std::abs(one / other - 1) > 0.06;
    const bool stir = x == &a.mri_stir;
    for (const double c : {one, other}) {
      EXPECT_GT(c, stir ? 0.7 : 0.1) << to_string(x->modality);
      EXPECT_LT(c, stir ? 10 : 0.85) << to_string(x->modality);
    }
  }
  EXPECT_GE(differ, 2);
}

TEST(ScannerFamily, TissuesStayInTheirOrder) {
  SpinePhantomOptions o;
  use_held_out_scanners(o);
  const auto signal = [](const MrSequence& q, Material m) {
    const SpeciesSignals s = species_signals(q);
    return std::abs(s.water[m] + s.fat[m]);
  };
  EXPECT_GT(signal(o.mr.t1, Material::fat), signal(o.mr.t1, Material::trabecular_bone));
  EXPECT_GT(signal(o.mr.t1, Material::trabecular_bone), 1.1 * signal(o.mr.t1, Material::tumour_lytic));
  EXPECT_GT(signal(o.mr.t1, Material::cord), signal(o.mr.t1, Material::csf));
  EXPECT_GT(signal(o.mr.t2, Material::csf), 1.5 * signal(o.mr.t2, Material::cord));
  EXPECT_GT(signal(o.mr.t2, Material::nucleus), signal(o.mr.t2, Material::annulus));
  EXPECT_GT(signal(o.mr.stir, Material::tumour_lytic), 1.5 * signal(o.mr.stir, Material::trabecular_bone));
  EXPECT_LT(signal(o.mr.stir, Material::fat), 0.6 * signal(o.mr.stir, Material::tumour_lytic));
}

TEST(ScannerFamily, RefusesTablesThatLackASetting) {
  auto json = embedded_document("scanner_family.json");
  json["settings"].erase(0);
  EXPECT_THAT([&] { read_scanner_family(JsonReader(json)); },
              ThrowsMessage<ConfigError>(HasSubstr("ct.psf_sigma_mm")));
  json = embedded_document("scanner_family.json");
  json["settings"][0]["held_out"].erase("range");
  EXPECT_THAT([&] { read_scanner_family(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr("range")));
}

}  // namespace
}  // namespace spinetherm
