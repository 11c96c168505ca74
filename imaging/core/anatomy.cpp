// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/anatomy.h"

#include <algorithm>
#include <array>
#include <set>

namespace spinetherm {
namespace {

// Blocks of 100 by kind; within a block the position in levels(). Never renumber: files hold these values.
constexpr int kVertebra = 100, kBody = 200, kDisc = 300, kRoot = 400, kGanglion = 500, kArtery = 600;

constexpr std::array<std::pair<int, std::string_view>, 42> kSingles = {{
    {1, "canal"},
    {2, "dural_sac"},
    {3, "dura"},
    {4, "cord"},
    {5, "cauda"},
    {6, "tumour"},
    {7, "lumbar_plexus_left"},
    {8, "lumbar_plexus_right"},
    {10, "aorta"},
    {11, "vena_cava"},
    {12, "iliac_artery"},
    {13, "iliac_vein"},
    {14, "vessel"},
    {20, "lung_left"},
    {21, "lung_right"},
    {22, "oesophagus"},
    {23, "trachea"},
    {24, "bowel"},
    {25, "stomach"},
    {26, "kidney_left"},
    {27, "kidney_right"},
    {28, "liver"},
    {29, "spleen"},
    {30, "heart"},
    {31, "organ"},
    {40, "muscle"},
    {41, "fat"},
    {42, "skin"},
    {50, "rib"},
    {51, "bone"},
    {60, "implant"},
    {61, "cement"},
    {32, "bladder"},
    {33, "pancreas"},
    {34, "gallbladder"},
    {35, "adrenal"},
    {70, "root_S2_left"},
    {71, "root_S2_right"},
    {72, "root_S3_left"},
    {73, "root_S3_right"},
    {74, "root_S4_left"},
    {75, "root_S4_right"},
}};

struct Tables {
  std::vector<std::string> levels;
  std::vector<std::pair<StructureValue, std::string>> by_value;
  std::map<std::string, StructureValue, std::less<>> by_name;
};

Tables make_tables() {
  Tables t;
  for (int n = 1; n <= 7; ++n) t.levels.push_back("C" + std::to_string(n));
  for (int n = 1; n <= 13; ++n) t.levels.push_back("T" + std::to_string(n));
  for (int n = 1; n <= 6; ++n) t.levels.push_back("L" + std::to_string(n));
  t.levels.insert(t.levels.end(), {"sacrum", "coccyx"});
  const auto add = [&](int value, const std::string& name) {
    t.by_value.emplace_back(StructureValue(value), name);
  };
  for (const auto& [value, name] : kSingles) add(value, std::string(name));
  const std::set<std::string> variants = {"T13", "L6"};
  for (int n = 0; n < int(t.levels.size()); ++n) {
    const std::string& level = t.levels[std::size_t(n)];
    add(kVertebra + n, "vertebra_" + level);
    add(kBody + n, "vertebra_body_" + level);
    for (int side = 0; side < 2; ++side) {
      const std::string suffix = side == 0 ? "_left" : "_right";
      add(kRoot + 2 * n + side, "root_" + level + suffix);
      add(kGanglion + 2 * n + side, "ganglion_" + level + suffix);
      add(kArtery + 2 * n + side, "segmental_artery_" + level + suffix);
    }
    // The disc below: named with the next level of a spine without variants, or with the variant itself.
    if (n + 1 < int(t.levels.size()) && level != "C1" && level != "sacrum") {
      int below = n + 1;
      if (variants.count(t.levels[std::size_t(below)])) ++below;
      add(kDisc + n, "disc_" + level + "_" + t.levels[std::size_t(below)]);
    }
  }
  std::sort(t.by_value.begin(), t.by_value.end());
  for (const auto& [value, name] : t.by_value) t.by_name.emplace(name, value);
  return t;
}

const Tables& tables() {
  static const Tables t = make_tables();
  return t;
}

}  // namespace

const std::vector<std::string>& levels() { return tables().levels; }

std::optional<int> level_index(std::string_view level) {
  const auto& all = levels();
  const auto it = std::find(all.begin(), all.end(), level);
  if (it == all.end()) return std::nullopt;
  return int(it - all.begin());
}

std::optional<std::string> level_below(std::string_view level) {
  if (level == "T12") return "L1";
  if (level == "L5") return "sacrum";
  const auto n = level_index(level);
  if (!n || *n + 1 >= int(levels().size())) return std::nullopt;
  return levels()[std::size_t(*n) + 1];
}

std::optional<std::string> level_above(std::string_view level) {
  if (level == "L1") return "T12";
  if (level == "sacrum") return "L5";
  const auto n = level_index(level);
  if (!n || *n == 0) return std::nullopt;
  return levels()[std::size_t(*n) - 1];
}

const std::vector<std::pair<StructureValue, std::string>>& structure_table() { return tables().by_value; }

std::optional<StructureValue> structure_value(std::string_view name) {
  const auto it = tables().by_name.find(name);
  if (it == tables().by_name.end()) return std::nullopt;
  return it->second;
}

std::string_view structure_name(StructureValue value) {
  const auto& table = tables().by_value;
  const auto it = std::lower_bound(table.begin(), table.end(), value,
                                   [](const auto& row, StructureValue v) { return row.first < v; });
  if (it == table.end() || it->first != value) return {};
  return it->second;
}

bool is_vertebra(StructureValue value) { return value >= kVertebra && value < kDisc; }

std::string structure_level(StructureValue value) {
  const int v = value;
  int n = -1;
  if (v >= kVertebra && v < kBody) n = v - kVertebra;
  if (v >= kBody && v < kDisc) n = v - kBody;
  if (v >= kRoot && v < kGanglion) n = (v - kRoot) / 2;
  if (v >= kGanglion && v < kArtery) n = (v - kGanglion) / 2;
  if (v >= kArtery && v < kArtery + 100) n = (v - kArtery) / 2;
  if (n < 0 || n >= int(levels().size())) return {};
  return levels()[std::size_t(n)];
}

std::array<std::uint8_t, 3> structure_colour(StructureValue value) {
  const int v = value;
  if (v == 0) return {0, 0, 0};
  if (v == 4 || v == 5) return {255, 220, 60};            // cord, cauda: yellow
  if (v == 1 || v == 2 || v == 3) return {90, 200, 250};  // canal, sac, dura: light blue
  if (v == 6) return {230, 60, 60};                       // tumour: red
  if (v == 10 || v == 12 || (v >= kArtery && v < kArtery + 100)) return {210, 40, 90};
  if (v == 11 || v == 13) return {70, 90, 210};
  if (v >= kRoot && v < kArtery) return {255, 180, 0};
  if (v >= kDisc && v < kRoot) return {120, 190, 160};
  if (is_vertebra(value)) {  // neighbours differ
    static constexpr std::array<std::array<std::uint8_t, 3>, 3> tints = {
        {{226, 202, 134}, {190, 160, 220}, {150, 200, 130}}};
    return tints[std::size_t(v % 100) % 3];
  }
  return {std::uint8_t(80 + (v * 37) % 120), std::uint8_t(80 + (v * 61) % 120),
          std::uint8_t(80 + (v * 89) % 120)};
}

bool Anatomy::has(std::string_view name) const { return status_of(name) != StructureStatus::missing; }

StructureStatus Anatomy::status_of(std::string_view name) const {
  const auto it = status.find(std::string(name));
  return it == status.end() ? StructureStatus::missing : it->second;
}

Volume<std::uint8_t> Anatomy::mask(std::string_view name) const {
  const auto value = structure_value(name);
  if (!value) return {};
  std::vector<StructureValue> values = {*value};
  if (name.starts_with("vertebra_") && !name.starts_with("vertebra_body_"))
    values.push_back(StructureValue(*value + (kBody - kVertebra)));
  return mask_of(labels, values);
}

std::vector<std::string> Anatomy::levels_present() const {
  std::set<int> found;
  StructureValue last = 0;
  for (StructureValue v : labels.values)
    if (v != last) {
      last = v;
      if (is_vertebra(v)) found.insert((v % 100));
    }
  std::vector<std::string> out;
  for (int n : found) out.push_back(levels()[std::size_t(n)]);
  return out;
}

Volume<std::uint8_t> mask_of(const Volume<StructureValue>& labels,
                             const std::vector<StructureValue>& values) {
  Volume<std::uint8_t> out(labels.grid);
  for (std::size_t n = 0; n < labels.values.size(); ++n)
    out[n] = std::find(values.begin(), values.end(), labels[n]) != values.end() ? 1 : 0;
  return out;
}

std::optional<Eigen::Vector3d> centroid_mm(const Volume<std::uint8_t>& mask) {
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  double count = 0;
  for (int k = 0; k < mask.grid.size[2]; ++k)
    for (int j = 0; j < mask.grid.size[1]; ++j)
      for (int i = 0; i < mask.grid.size[0]; ++i)
        if (mask(i, j, k)) {
          sum += Eigen::Vector3d(i, j, k);
          ++count;
        }
  if (count == 0) return std::nullopt;
  return mask.grid.to_world(Eigen::Vector3d(sum / count));
}

}  // namespace spinetherm
