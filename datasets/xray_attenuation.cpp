// SPDX-License-Identifier: Apache-2.0
#include "datasets/xray_attenuation.h"

#include <algorithm>
#include <cmath>

#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"
#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

const std::vector<std::string>& words() {
  static const std::vector<std::string> all = {"water", "cortical_bone", "titanium",
                                               "iron",  "aluminium",     "copper"};
  return all;
}

constexpr double kLowest_keV = 20;  ///< nothing below passes the filter and the patient
constexpr double kStep_keV = 1;     ///< of the spectrum before it is put into bins

}  // namespace

std::string_view to_string(XrayMaterial material) { return words().at(std::size_t(material)); }

XrayTable read_xray_table(const JsonReader& document) {
  expect_format(document, "xray_attenuation");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  XrayTable out;
  out.energies_keV = document.get<std::vector<double>>("energies_keV");
  if (out.energies_keV.size() < 2 || !(out.energies_keV.front() > 0) ||
      !std::is_sorted(out.energies_keV.begin(), out.energies_keV.end(), std::less_equal<>()))
    document.at("energies_keV").fail("energies must rise", "give at least two, from low to high");
  std::array<bool, kXrayMaterialCount> found{};
  const JsonReader list = document.at("materials");
  for (const JsonReader& r : list.elements()) {
    const std::size_t n = r.get_word("name", words());
    if (found[n]) r.at("name").fail("a material is named twice", "keep one row of each");
    found[n] = true;
    XrayMaterialRow& row = out.materials[n];
    row.provenance = table.provenance(r);
    row.density_kg_per_m3 = 1000 * table.number(r.at("density_g_per_cm3"), row.provenance).value;
    if (!(row.density_kg_per_m3 > 0))
      r.at("density_g_per_cm3").fail("a density must be positive", "give it in g/cm3");
    const JsonReader values = r.at("mass_attenuation_cm2_per_g");
    for (const double value : values.as<std::vector<double>>()) {
      if (!(value > 0)) values.fail("attenuation must be positive", "give it in cm2/g");
      row.mass_attenuation_m2_per_kg.push_back(0.1 * value);
    }
    if (row.mass_attenuation_m2_per_kg.size() != out.energies_keV.size())
      values.fail("not one value for each energy", "give as many as energies_keV has");
    r.finish();
  }
  for (std::size_t n = 0; n < kXrayMaterialCount; ++n)
    if (!found[n]) list.fail("no row for the material '" + words()[n] + "'", "add one");
  const JsonReader r = document.at("tungsten_lines");
  TungstenLines& lines = out.tungsten;
  lines.provenance = table.provenance(r);
  lines.edge_keV = r.get<double>("edge_keV");
  lines.share_at_120_kV = r.get<double>("share_at_120_kV");
  lines.exponent = r.get<double>("exponent");
  lines.alpha_keV = r.get<double>("alpha_keV");
  lines.beta_keV = r.get<double>("beta_keV");
  lines.alpha_share = r.get<double>("alpha_share");
  if (!(lines.edge_keV > 0 && lines.edge_keV < 120) ||
      !(lines.share_at_120_kV >= 0 && lines.share_at_120_kV < 1) ||
      !(lines.alpha_share >= 0 && lines.alpha_share <= 1))
    r.fail("lines that no tube has", "shares lie in 0 .. 1, the edge below 120 keV");
  r.finish();
  document.finish();
  return out;
}

const XrayTable& xray_table() {
  static const XrayTable table = [] {
    const auto json = embedded_document("xray_attenuation.json");
    return read_xray_table(JsonReader(json));
  }();
  return table;
}

double mass_attenuation_m2_per_kg(XrayMaterial material, double energy_keV) {
  const std::vector<double>& e = xray_table().energies_keV;
  require(energy_keV >= e.front() && energy_keV <= e.back(), "energy_keV", energy_keV,
          "must lie within the table of attenuation, 20 .. 150 keV");
  const std::size_t n =
      std::min(std::size_t(std::upper_bound(e.begin(), e.end(), energy_keV) - e.begin()), e.size() - 1);
  const std::vector<double>& mu = xray_table()[material].mass_attenuation_m2_per_kg;
  const double f = std::log(energy_keV / e[n - 1]) / std::log(e[n] / e[n - 1]);
  return mu[n - 1] * std::pow(mu[n] / mu[n - 1], f);
}

void XrayBeamOptions::validate() const {
  require(tube_kV >= 40 && tube_kV <= 150, "XrayBeamOptions.tube_kV", tube_kV, "must lie in [40, 150] kV");
  require(aluminium_mm >= 0 && aluminium_mm <= 50, "XrayBeamOptions.aluminium_mm", aluminium_mm,
          "must lie in [0, 50] mm");
  require(copper_mm >= 0 && copper_mm <= 10, "XrayBeamOptions.copper_mm", copper_mm,
          "must lie in [0, 10] mm");
  require(bins >= 1 && bins <= 100, "XrayBeamOptions.bins", bins, "must lie in 1 .. 100");
}

XrayBeam make_xray_beam(const XrayBeamOptions& options) {
  options.validate();
  const TungstenLines& lines = xray_table().tungsten;
  const auto area = [](XrayMaterial m, double mm) {
    return xray_table()[m].density_kg_per_m3 * mm * kMetre_per_mm;
  };
  const double aluminium = area(XrayMaterial::aluminium, options.aluminium_mm);
  const double copper = area(XrayMaterial::copper, options.copper_mm);
  struct Photons {
    double energy_keV = 0, number = 0;
  };
  std::vector<Photons> spectrum;
  double continuum = 0;
  for (double e = kLowest_keV + 0.5 * kStep_keV; e < options.tube_kV; e += kStep_keV) {
    const double n = (options.tube_kV / e - 1) *
                     std::exp(-aluminium * mass_attenuation_m2_per_kg(XrayMaterial::aluminium, e) -
                              copper * mass_attenuation_m2_per_kg(XrayMaterial::copper, e));
    spectrum.push_back({e, n});
    continuum += n;
  }
  if (options.tube_kV > lines.edge_keV) {
    const double share = std::min(
        0.3,
        lines.share_at_120_kV *
            std::pow((options.tube_kV / lines.edge_keV - 1) / (120 / lines.edge_keV - 1), lines.exponent));
    const double photons = continuum * share / (1 - share);
    spectrum.push_back({lines.alpha_keV, photons * lines.alpha_share});
    spectrum.push_back({lines.beta_keV, photons * (1 - lines.alpha_share)});
  }

  XrayBeam beam;
  std::vector<XrayBin> bins(static_cast<std::size_t>(options.bins));
  double total = 0, energy = 0;
  for (const auto& [e, n] : spectrum) {
    const auto at = std::min(std::size_t((e - kLowest_keV) / (options.tube_kV - kLowest_keV) * options.bins),
                             bins.size() - 1);
    bins[at].photons += n;
    bins[at].energy_keV += n * e;
    for (std::size_t m = 0; m < kXrayMaterialCount; ++m)
      bins[at].mass_attenuation_m2_per_kg[m] += n * e * mass_attenuation_m2_per_kg(XrayMaterial(m), e);
    total += n;
    energy += n * e;
  }
  for (XrayBin& bin : bins) {
    if (bin.photons <= 1e-9 * total) continue;
    for (double& mu : bin.mass_attenuation_m2_per_kg) mu /= bin.energy_keV;
    bin.energy_keV /= bin.photons;
    bin.photons /= total;
    beam.bins.push_back(bin);
  }
  beam.mean_energy_keV = energy / total;
  return beam;
}

double XrayBeam::line_integral(const std::array<double, kXrayMaterialCount>& area_kg_per_m2) const {
  double all = 0, passed = 0;
  for (const XrayBin& bin : bins) {
    double exponent = 0;
    for (std::size_t m = 0; m < kXrayMaterialCount; ++m)
      exponent += bin.mass_attenuation_m2_per_kg[m] * area_kg_per_m2[m];
    all += bin.photons * bin.energy_keV;
    passed += bin.photons * bin.energy_keV * std::exp(-exponent);
  }
  return std::log(all / passed);
}

double XrayBeam::water_line_integral(double thickness_m) const {
  std::array<double, kXrayMaterialCount> area{};
  area[std::size_t(XrayMaterial::water)] = xray_table()[XrayMaterial::water].density_kg_per_m3 * thickness_m;
  return line_integral(area);
}

}  // namespace spinetherm
