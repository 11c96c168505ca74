// SPDX-License-Identifier: Apache-2.0
#include "imaging/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/resample.h"

namespace spinetherm {
namespace {

using Index3 = std::array<int, 3>;

/// What one value of a raw map looks like, whatever it may mean.
struct ValueShape {
  std::size_t count = 0;
  Eigen::Vector3d index_sum = Eigen::Vector3d::Zero();
  Index3 low{INT_MAX, INT_MAX, INT_MAX}, high{-1, -1, -1};
  double z_low_mm = std::numeric_limits<double>::infinity();
  double z_high_mm = -std::numeric_limits<double>::infinity();

  bool at_edge(const Grid& g) const {
    for (std::size_t a = 0; a < 3; ++a)
      if (low[a] == 0 || high[a] == g.size[a] - 1) return true;
    return false;
  }
};

using Shapes = std::map<std::uint32_t, ValueShape>;

/// A label map has hundreds of values at most; an image has thousands.
constexpr std::size_t kMaxValues = 1000;

Shapes measure(const Volume<std::uint32_t>& raw, std::string_view where) {
  Shapes shapes;
  const Grid& g = raw.grid;
  ValueShape* shape = nullptr;
  std::uint32_t last = 0;
  const Eigen::Vector3d z_step = g.direction.row(2).transpose().cwiseProduct(g.spacing_mm);
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const std::uint32_t v = raw(i, j, k);
        if (v == 0) continue;
        if (v != last || shape == nullptr) {
          shape = &shapes[v];
          last = v;
          if (shapes.size() > kMaxValues)
            throw ConfigError("not a label map: more than 1000 different values", std::string(where),
                              "give the label map, not the image");
        }
        ++shape->count;
        shape->index_sum += Eigen::Vector3d(i, j, k);
        const Index3 n{i, j, k};
        for (std::size_t a = 0; a < 3; ++a) {
          shape->low[a] = std::min(shape->low[a], n[a]);
          shape->high[a] = std::max(shape->high[a], n[a]);
        }
        const double z_mm = g.origin_mm.z() + z_step.dot(Eigen::Vector3d(i, j, k));
        shape->z_low_mm = std::min(shape->z_low_mm, z_mm);
        shape->z_high_mm = std::max(shape->z_high_mm, z_mm);
      }
  return shapes;
}

/// Share of a value's voxels in its largest 26-connected piece.
double largest_piece(const Volume<std::uint32_t>& raw, std::uint32_t value, const ValueShape& shape) {
  Grid box;
  for (std::size_t a = 0; a < 3; ++a) box.size[a] = shape.high[a] - shape.low[a] + 1;
  Volume<std::uint8_t> open(box);
  for (int k = 0; k < box.size[2]; ++k)
    for (int j = 0; j < box.size[1]; ++j)
      for (int i = 0; i < box.size[0]; ++i)
        open(i, j, k) = raw(i + shape.low[0], j + shape.low[1], k + shape.low[2]) == value ? 1 : 0;
  std::size_t best = 0;
  std::vector<Index3> stack;
  for (int k = 0; k < box.size[2]; ++k)
    for (int j = 0; j < box.size[1]; ++j)
      for (int i = 0; i < box.size[0]; ++i) {
        if (!open(i, j, k)) continue;
        std::size_t size = 0;
        open(i, j, k) = 0;
        stack.push_back({i, j, k});
        while (!stack.empty()) {
          const Index3 n = stack.back();
          stack.pop_back();
          ++size;
          for (int c = -1; c <= 1; ++c)
            for (int b = -1; b <= 1; ++b)
              for (int a = -1; a <= 1; ++a) {
                const Index3 m{n[0] + a, n[1] + b, n[2] + c};
                if (!box.contains(m[0], m[1], m[2]) || !open(m[0], m[1], m[2])) continue;
                open(m[0], m[1], m[2]) = 0;
                stack.push_back(m);
              }
        }
        best = std::max(best, size);
      }
  return double(best) / double(shape.count);
}

/// One vertebra of a map that is read by a convention (its parts taken together).
struct Vertebra {
  int level = 0;  ///< position in levels()
  double volume_ml = 0;
  Eigen::Vector3d centroid_mm = Eigen::Vector3d::Zero();
  double length_mm = 0;  ///< along the patient axis
  bool cut = false;      ///< by the image edge
  double largest_piece = 1;
};

/// Level as a number along a spine without variants, so that T12 and L1 are neighbours.
double chain_position(int level) {
  static const int t13 = level_index("T13").value(), l6 = level_index("L6").value();
  if (level == t13) return t13 - 0.5;
  if (level == l6) return l6 - 1.5;
  return level - (level > t13 ? 1 : 0) - (level > l6 ? 1 : 0);
}

std::string level_name(int level) { return levels()[std::size_t(level)]; }
bool is_cervical(int level) { return level <= level_index("C7").value(); }
bool is_sacral(int level) { return level >= level_index("sacrum").value(); }

/// Distance [mm] from the centre of a level to the next, adult mean: posterior body height and disc of
/// guidance.md 4.1 and 4.2 [recalled there, rounded]. C3 first, L4 last; above and below it is not used.
constexpr std::array<double, 21> kSpacingFromC3_mm = {16.5, 16.5, 16.5, 16, 17.5, 18, 19.5, 19.5, 20, 20,  21,
                                                      22,   22.5, 23.5, 25, 27,   30, 33,   35,   35, 35.5};

/// A map read by one convention.
struct Reading {
  std::vector<Vertebra> vertebrae;  ///< from the head down
  /// Median of distance to next / adult mean, over whole neighbours; empty when fewer than two are known.
  std::optional<double> spacing_ratio;
  std::vector<std::string> problems;
  std::vector<std::uint32_t> unknown;
  double known_fraction = 0;
};

class Reader {
 public:
  Reader(const Volume<std::uint32_t>& raw, const ImportOptions& options)
      : raw_(raw), options_(options), shapes_(measure(raw, options.where)) {}

  const Shapes& shapes() const { return shapes_; }

  Reading read(const LabelConvention& convention) {
    Reading r;
    std::map<int, std::vector<std::uint32_t>> parts;
    std::size_t known = 0, all = 0;
    for (const auto& [value, shape] : shapes_) {
      all += shape.count;
      const LabelMeaning* meaning = convention.find(value);
      if (meaning == nullptr) {
        r.unknown.push_back(value);
        continue;
      }
      known += shape.count;
      if (is_vertebra(meaning->structure))
        parts[level_index(structure_level(meaning->structure)).value()].push_back(value);
    }
    r.known_fraction = all == 0 ? 0 : double(known) / double(all);
    if (1 - r.known_fraction > options_.max_unknown_fraction)
      r.problems.push_back(fmt::format("{:.0f} % of its voxels have values it does not know ({})",
                                       100 * (1 - r.known_fraction), list(r.unknown)));
    for (const auto& [level, values] : parts) r.vertebrae.push_back(measure_vertebra(level, values));
    if (convention.expects_vertebrae) {
      if (r.vertebrae.empty()) r.problems.emplace_back("it holds no vertebra");
      if (shapes_.size() == 1 && shapes_.begin()->first == 1)
        r.problems.emplace_back("it is a mask: its only value is 1");
    }
    check_sizes(r);
    check_order(r);
    check_spacing(r);
    return r;
  }

  static std::string list(const std::vector<std::uint32_t>& values) {
    const std::size_t shown = std::min<std::size_t>(values.size(), 12);
    std::string text =
        fmt::format("{}", fmt::join(values.begin(), values.begin() + std::ptrdiff_t(shown), ", "));
    return values.size() > shown ? text + ", ..." : text;
  }

 private:
  Vertebra measure_vertebra(int level, const std::vector<std::uint32_t>& values) {
    Vertebra v;
    v.level = level;
    std::size_t count = 0;
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const std::uint32_t value : values) {
      const ValueShape& s = shapes_.at(value);
      count += s.count;
      sum += s.index_sum;
      low = std::min(low, s.z_low_mm);
      high = std::max(high, s.z_high_mm);
      v.cut = v.cut || s.at_edge(raw_.grid);
    }
    if (values.size() == 1 && count < kMaxPieceVoxels) {  // two values of one vertebra may be apart
      const auto [it, is_new] = pieces_.try_emplace(values.front(), 1.0);
      if (is_new) it->second = largest_piece(raw_, values.front(), shapes_.at(values.front()));
      v.largest_piece = it->second;
    }
    v.volume_ml = double(count) * raw_.grid.voxel_volume_mm3() / 1000;
    v.centroid_mm = raw_.grid.to_world(Eigen::Vector3d(sum / double(count)));
    v.length_mm = high - low;
    return v;
  }

  static void check_sizes(Reading& r) {
    for (const Vertebra& v : r.vertebrae) {
      const std::string name = level_name(v.level);
      const bool sacral = is_sacral(v.level), cervical = is_cervical(v.level);
      const double most_ml = sacral ? 500 : cervical ? 45 : 200;
      // Body and processes together; a long thoracic spinous process reaches a level further down.
      const double longest_mm = sacral ? 220 : cervical ? 60 : 110;
      if (v.volume_ml > most_ml || (v.volume_ml < 1 && !v.cut))
        r.problems.push_back(fmt::format("{} would have {:.1f} ml", name, v.volume_ml));
      else if (v.length_mm > longest_mm)
        r.problems.push_back(fmt::format("{} would be {:.0f} mm long", name, v.length_mm));
      else if (!v.cut && v.largest_piece < 0.8)
        r.problems.push_back(fmt::format("{} would be in pieces", name));
    }
  }

  static void check_order(Reading& r) {
    for (std::size_t n = 1; n < r.vertebrae.size(); ++n) {
      const Vertebra& above = r.vertebrae[n - 1];
      const Vertebra& below = r.vertebrae[n];
      const std::string pair = level_name(above.level) + " and " + level_name(below.level);
      if (above.centroid_mm.z() <= below.centroid_mm.z()) {
        r.problems.push_back(
            fmt::format("{} would lie above {}", level_name(below.level), level_name(above.level)));
        continue;
      }
      const double steps = std::max(1.0, chain_position(below.level) - chain_position(above.level));
      const double distance_mm = (above.centroid_mm - below.centroid_mm).norm();
      const bool cervical = is_cervical(above.level);
      double least = cervical ? 8 : 12, most = cervical ? 32 : 60;
      if (is_sacral(below.level)) most = 130;
      if (above.cut || below.cut) least = 3, most += 15;
      if (distance_mm < least * steps || distance_mm > most * steps)
        r.problems.push_back(fmt::format("{} would be {:.0f} mm apart", pair, distance_mm));
    }
  }

  /// Tells TotalSegmentator v1 from v2, which number the same way with a shift of nine levels.
  static void check_spacing(Reading& r) {
    std::vector<double> ratios;
    for (std::size_t n = 1; n < r.vertebrae.size(); ++n) {
      const Vertebra& a = r.vertebrae[n - 1];
      const Vertebra& b = r.vertebrae[n];
      if (a.cut || b.cut || chain_position(b.level) - chain_position(a.level) != 1) continue;
      const double at = chain_position(a.level) - chain_position(level_index("C3").value());
      if (at < 0 || at != std::floor(at) || std::size_t(at) >= kSpacingFromC3_mm.size()) continue;
      ratios.push_back((a.centroid_mm - b.centroid_mm).norm() / kSpacingFromC3_mm[std::size_t(at)]);
    }
    if (ratios.size() < 2) return;
    std::sort(ratios.begin(), ratios.end());
    r.spacing_ratio = ratios[ratios.size() / 2];
    // Adults differ by 15 %, a row of collapsed vertebrae by 30 %; the shift of nine levels by 30 to 75 %.
    if (*r.spacing_ratio < 0.6 || *r.spacing_ratio > 1.4)
      r.problems.push_back(fmt::format("{} to {} would be {:.0f} % of the usual distance apart",
                                       level_name(r.vertebrae.front().level),
                                       level_name(r.vertebrae.back().level), 100 * *r.spacing_ratio));
  }

  static constexpr std::size_t kMaxPieceVoxels = 3'000'000;  // larger is refused by its volume or not at all
  const Volume<std::uint32_t>& raw_;
  const ImportOptions& options_;
  Shapes shapes_;
  std::map<std::uint32_t, double> pieces_;
};

std::string joined(const std::vector<std::string>& words, std::size_t most) {
  const std::size_t shown = std::min(words.size(), most);
  std::string text = fmt::format("{}", fmt::join(words.begin(), words.begin() + std::ptrdiff_t(shown), "; "));
  return words.size() > shown ? text + fmt::format("; and {} more", words.size() - shown) : text;
}

/// Whether another convention fits the map clearly better by the distances of its levels.
bool fits_another_better(Reader& reader, const LabelConvention& asked, const Reading& reading) {
  if (!asked.expects_vertebrae || !reading.spacing_ratio) return false;
  for (const LabelConvention& other : label_conventions()) {
    if (&other == &asked || !other.expects_vertebrae) continue;
    const Reading r = reader.read(other);
    if (!r.problems.empty() || !r.spacing_ratio || r.known_fraction < reading.known_fraction) continue;
    if (std::abs(std::log(*reading.spacing_ratio)) - std::abs(std::log(*r.spacing_ratio)) > std::log(1.2))
      return true;
  }
  return false;
}

[[noreturn]] void refuse(Reader& reader, const LabelConvention& asked, const Reading& reading,
                         const ImportOptions& options) {
  std::string advice;
  double best_known = 0;
  for (const LabelConvention& other : label_conventions()) {
    // Our own map is never guessed: its values are written by nobody else.
    if (&other == &asked || !other.expects_vertebrae) continue;
    const Reading r = reader.read(other);
    if (!r.problems.empty() || r.known_fraction <= best_known) continue;
    best_known = r.known_fraction;
    advice = fmt::format("it looks like {} ({} to {}): give that convention", other.name,
                         level_name(r.vertebrae.front().level), level_name(r.vertebrae.back().level));
  }
  if (advice.empty())
    for (const ForeignLabelKind& kind : foreign_label_kinds()) {
      const bool fits = std::all_of(reader.shapes().begin(), reader.shapes().end(), [&](const auto& entry) {
        return std::find(kind.values.begin(), kind.values.end(), entry.first) != kind.values.end();
      });
      if (!fits) continue;
      advice = fmt::format("it looks like {}: {}", kind.name, kind.reason);
      break;
    }
  if (advice.empty()) {
    std::vector<std::uint32_t> values;
    for (const auto& entry : reader.shapes()) values.push_back(entry.first);
    advice = "no known convention fits its values " + Reader::list(values) +
             "; export it with one of totalsegmentator-v2, totalsegmentator-v1, verse, spinetherm";
  }
  throw ConfigError(
      fmt::format("label map is implausible as {}: {}", asked.name, joined(reading.problems, 3)),
      options.where, advice);
}

/// The plane across the spine at the L1-L2 disc, from the two neighbouring levels nearest to it; empty when
/// fewer than two levels are known.
struct ConusPlane {
  Eigen::Vector3d point_mm, towards_feet;
  bool extrapolated = false;
};
std::optional<ConusPlane> conus_plane(const std::vector<Vertebra>& vertebrae) {
  const double conus = chain_position(level_index("L1").value()) + 0.5;
  std::optional<ConusPlane> best;
  double best_distance = std::numeric_limits<double>::infinity();
  for (std::size_t n = 1; n < vertebrae.size(); ++n) {
    const Vertebra& a = vertebrae[n - 1];
    const Vertebra& b = vertebrae[n];
    if (is_sacral(b.level)) continue;
    const double at_a = chain_position(a.level), at_b = chain_position(b.level);
    // A vertebra cut by the edge has its centroid in the wrong place: use it only when nothing else is there.
    const double distance = std::abs((at_a + at_b) / 2 - conus) + (a.cut || b.cut ? 100 : 0);
    if (distance >= best_distance) continue;
    best_distance = distance;
    const double t = (conus - at_a) / (at_b - at_a);
    const Eigen::Vector3d step = b.centroid_mm - a.centroid_mm;
    best = ConusPlane{a.centroid_mm + t * step, step.normalized(), t < 0 || t > 1};
  }
  return best;
}

void name_cauda(Anatomy& anatomy, const std::vector<Vertebra>& vertebrae) {
  const StructureValue cord = structure_value("cord").value(), cauda = structure_value("cauda").value();
  const auto plane = conus_plane(vertebrae);
  if (!plane) {
    anatomy.warnings.emplace_back(
        "spinal_cord is taken as cord all the way: fewer than two levels are known, so that the conus cannot "
        "be placed");
    return;
  }
  std::size_t changed = 0, kept = 0;
  const Grid& g = anatomy.labels.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        StructureValue& v = anatomy.labels(i, j, k);
        if (v != cord) continue;
        if ((g.to_world(i, j, k) - plane->point_mm).dot(plane->towards_feet) > 0) {
          v = cauda;
          ++changed;
        } else {
          ++kept;
        }
      }
  if (changed == 0) return;
  anatomy.status["cauda"] = StructureStatus::imported;
  if (kept == 0) anatomy.status.erase("cord");
  anatomy.warnings.push_back(fmt::format(
      "spinal_cord below the L1-L2 disc (z = {:.0f} mm{}) is taken as cauda equina: the conus ends there in "
      "most people, with a standard deviation of a third of a level (about 12 mm)",
      plane->point_mm.z(), plane->extrapolated ? ", extrapolated from other levels" : ""));
}

void warn_of_sides(Anatomy& anatomy) {
  for (const std::string organ : {"kidney", "lung"}) {
    if (!anatomy.has(organ + "_left") || !anatomy.has(organ + "_right")) continue;
    const auto left = centroid_mm(anatomy.mask(organ + "_left"));
    const auto right = centroid_mm(anatomy.mask(organ + "_right"));
    if (left && right && left->x() <= right->x())  // LPS: x grows towards the patient's left
      anatomy.warnings.push_back(organ +
                                 "_left lies on the patient's right: are the sides of image or labels "
                                 "swapped?");
  }
}

void warn_of_levels(Anatomy& anatomy, const std::vector<Vertebra>& vertebrae) {
  std::vector<std::string> cut;
  for (const Vertebra& v : vertebrae)
    if (v.cut) cut.push_back(level_name(v.level));
  if (!cut.empty())
    anatomy.warnings.push_back(
        fmt::format("cut by the edge of the image, so not whole: {}", fmt::join(cut, ", ")));
  for (std::size_t n = 1; n < vertebrae.size(); ++n)
    if (chain_position(vertebrae[n].level) - chain_position(vertebrae[n - 1].level) > 1)
      anatomy.warnings.push_back(fmt::format("no label between {} and {}", level_name(vertebrae[n - 1].level),
                                             level_name(vertebrae[n].level)));
}

}  // namespace

void ImportOptions::validate() const {
  require(max_unknown_fraction >= 0 && max_unknown_fraction < 1, "ImportOptions.max_unknown_fraction",
          max_unknown_fraction, "must be in [0, 1)");
}

Anatomy import_labels(const Volume<std::uint32_t>& raw, std::string_view convention_name,
                      const ImportOptions& options) {
  options.validate();
  const LabelConvention& convention = label_convention(convention_name);
  raw.grid.validate(options.where);
  Reader reader(raw, options);
  if (reader.shapes().empty())
    throw ConfigError("label map is empty: every voxel is 0", options.where, "give a map with labels");
  Reading reading = reader.read(convention);
  if (reading.problems.empty() && fits_another_better(reader, convention, reading))
    reading.problems.push_back(fmt::format("its levels would be {:.0f} % of the usual distance apart",
                                           100 * *reading.spacing_ratio));
  if (!reading.problems.empty()) refuse(reader, convention, reading, options);

  Anatomy anatomy;
  anatomy.convention = convention.name;
  anatomy.labels = Volume<StructureValue>(raw.grid);
  std::unordered_map<std::uint32_t, StructureValue> ours = {{0, StructureValue(0)}};
  for (const auto& entry : reader.shapes()) {
    const LabelMeaning* meaning = convention.find(entry.first);
    ours[entry.first] = meaning == nullptr ? StructureValue(0) : meaning->structure;
    if (meaning != nullptr)
      anatomy.status[std::string(structure_name(meaning->structure))] = StructureStatus::imported;
  }
#pragma omp parallel for schedule(static)
  for (int k = 0; k < raw.grid.size[2]; ++k) {
    const std::size_t first = raw.grid.index(0, 0, k);
    const std::size_t slice = std::size_t(raw.grid.size[0]) * std::size_t(raw.grid.size[1]);
    for (std::size_t n = first; n < first + slice; ++n)
      if (raw[n] != 0) anatomy.labels[n] = ours.at(raw[n]);
  }

  if (!reading.unknown.empty())
    anatomy.warnings.push_back("values that " + convention.name +
                               " does not know are left out: " + Reader::list(reading.unknown));
  warn_of_levels(anatomy, reading.vertebrae);
  if (convention.expects_vertebrae && reading.vertebrae.size() <= 2)
    for (const LabelConvention& other : label_conventions()) {
      if (&other == &convention || !other.expects_vertebrae) continue;
      const Reading r = reader.read(other);
      if (r.problems.empty())
        anatomy.warnings.push_back(fmt::format("with so few vertebrae the map fits {} as well ({} to {})",
                                               other.name, level_name(r.vertebrae.front().level),
                                               level_name(r.vertebrae.back().level)));
    }
  if (convention.cord_holds_cauda && anatomy.has("cord")) name_cauda(anatomy, reading.vertebrae);
  warn_of_sides(anatomy);
  return anatomy;
}

double check_overlap(const Grid& labels, const Grid& image, std::string_view where) {
  constexpr int points = 21;
  int inside = 0;
  for (int c = 0; c < points; ++c)
    for (int b = 0; b < points; ++b)
      for (int a = 0; a < points; ++a) {
        // Points spread over the whole box of the label map, outer faces included.
        const Eigen::Vector3d share = Eigen::Vector3d(a, b, c) / (points - 1);
        const Eigen::Vector3d index =
            share.cwiseProduct(Eigen::Vector3d(labels.size[0], labels.size[1], labels.size[2])) -
            Eigen::Vector3d::Constant(0.5);
        inside += image.covers(labels.to_world(index)) ? 1 : 0;
      }
  const double fraction = double(inside) / (points * points * points);
  if (fraction < 0.01)
    throw ConfigError(
        fmt::format("label map does not overlap the image ({:.1f} % of it lies inside)", 100 * fraction),
        std::string(where), "give the label map that was made on this scan");
  return fraction;
}

Anatomy resample_labels(const Anatomy& anatomy, const Grid& grid) {
  Anatomy out = anatomy;
  out.labels = resample_nearest<StructureValue>(anatomy.labels, grid, 0);
  const auto values_of = [](const Volume<StructureValue>& v) {
    std::set<StructureValue> found;
    StructureValue last = 0;
    for (const StructureValue value : v.values)
      if (value != last) found.insert(last = value);
    return found;
  };
  const auto before = values_of(anatomy.labels), after = values_of(out.labels);
  std::vector<std::string> lost;
  for (const StructureValue value : before) {
    const std::string name(structure_name(value));
    if (value == 0 || after.count(value) || out.status.erase(name) == 0) continue;
    lost.push_back(name);
  }
  if (!lost.empty())
    out.warnings.push_back(fmt::format("outside the chosen region: {}", fmt::join(lost, ", ")));
  return out;
}

}  // namespace spinetherm
