// SPDX-License-Identifier: Apache-2.0
#include "datasets/virtual_lesion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "datasets/image_filters.h"
#include "datasets/lesion_shape.h"
#include "datasets/solid.h"
#include "datasets/value_noise.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

constexpr std::uint64_t kShapeStream = 71, kNoiseStream = 72;
constexpr double kUsualRadius_mm = 7, kUsualGap_mm = 7;
constexpr double kRoughness = 0.13;  ///< of the outline, standard deviation over the radius
/// A moth-eaten cortex: lysis reaches on by up to this within as much of the bone's surface [mm].
constexpr double kMoth_mm = 2.2;
constexpr double kLyticTexture_HU = 6, kBlasticTexture_HU = 60;
constexpr double kIsland_mm = 3.5;  ///< of bone in a mixed lesion
constexpr double kFar_mm = 1e3;
constexpr double kWallReach_mm = 3;     ///< of an epidural tumour in front of the canal's ellipse
constexpr double kEpiduralHole_mm = 4;  ///< in the wall, by which it comes
constexpr double kFineLabels_mm = 0.5;  ///< of the labels that the epidural grade is read from
constexpr float kAirNear_HU = -300;
constexpr int kPoints = 4;  ///< an axis, for the filled share of a voxel

double tube_distance(const VirtualLesion::Tube& t, const Eigen::Vector3d& p) {
  return segment_distance(p, t.a_mm, t.b_mm) - t.radius_mm;
}

bool destroys(LesionKind kind) { return kind == LesionKind::lytic || kind == LesionKind::mixed; }

std::string size_words(const LabelledVertebra& v) {
  return fmt::format("the body of {} ({:.0f} x {:.0f} x {:.0f} mm)", v.level, 2 * v.half_mm.x(),
                     2 * v.half_mm.y(), 2 * v.half_mm.z());
}

/// All that stops a soft tumour.
SoftRoom find_room(const CtTissueMap& tissues) {
  Volume<std::uint8_t> hard(tissues.labels.grid);
  std::vector<bool> stops(std::size_t(std::numeric_limits<StructureValue>::max()) + 1);
  for (const auto& [value, name] : structure_table())
    for (const char* word : {"aorta", "vena_cava", "iliac_", "vessel", "lung_", "kidney_", "liver", "spleen",
                             "organ", "oesophagus", "bowel", "stomach", "rib", "disc_"})
      if (name.starts_with(word)) stops[value] = true;
  for (std::size_t n = 0; n < hard.values.size(); ++n)
    hard[n] = stops[tissues.labels[n]] || tissues.disc_mm[n] < 0 || tissues.smooth_hu[n] < kAirNear_HU;
  SoftRoom room{tissues.canal, smooth_distance_mm(hard, hard.grid)};
  for (std::size_t n = 0; n < room.hard_mm.values.size(); ++n)
    room.hard_mm[n] = std::min(room.hard_mm[n], tissues.bone_mm[n]);
  return room;
}

/// The canal as far as the curtain reaches; slices of `slice_mm`.
Grid canal_grid(const VirtualLesion& lesion, double slice_mm) {
  const EpiduralCurtain& c = lesion.curtain;
  Eigen::AlignedBox3d box;
  for (double z = c.z_mm - c.half_length_mm - 1; z <= c.z_mm + c.half_length_mm + 1; z += 1) {
    const SpineSection s = lesion.room->canal.section(z);
    const double x = lesion.room->canal.middle_x(z);
    box.extend(Eigen::Vector3d(x - s.canal_a - 1, s.canal_y - s.canal_b - 1, z));
    box.extend(Eigen::Vector3d(x + s.canal_a + 1, s.canal_y + s.canal_b + 1, z));
  }
  Grid grid = box_grid(box.min(), box.max(), kFineLabels_mm);
  grid.size[2] = std::max(1, int(std::ceil(grid.size[2] * kFineLabels_mm / slice_mm)));
  grid.spacing_mm[2] = slice_mm;
  return grid;
}

Volume<StructureValue> canal_labels(const Grid& grid, const VirtualLesion& lesion,
                                    const CtTissueMap& tissues) {
  Volume<StructureValue> out(grid);
  const StructureValue tumour = *structure_value("tumour");
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Eigen::Vector3d x = grid.to_world(i, j, k);
        out(i, j, k) = lesion.soft_distance_mm(x) < 0 ? tumour : tissues.canal_part(x, lesion.curtain);
      }
  return out;
}

/// Bisects the thickness for both ends of the range that gives the grade, which rises with the thickness, and
/// takes a value inside it that the labels of half a millimetre confirm.
void grow_curtain(VirtualLesion& lesion, const CtTissueMap& tissues, double shortest_mm) {
  EpiduralCurtain& curtain = lesion.curtain;
  const auto& grades = escc_grades();
  const auto rank = [&](const std::string& escc) {
    return int(std::find(grades.begin(), grades.end(), escc) - grades.begin());
  };
  const auto set = [&](double thickness) {
    curtain.thickness_mm = thickness;
    curtain.half_length_mm = shortest_mm + 0.4 * thickness;  // a thick mass is long too
    curtain.settle([&](double z) { return lesion.room->canal.section(z); });
  };
  const int wanted = rank(lesion.options.escc);
  const double most = 2 * lesion.room->canal.section(curtain.z_mm).canal_b;
  const auto grade = [&](double thickness) {
    set(thickness);
    const Grid grid = canal_grid(lesion, 1);
    return rank(
        measure_epidural(canal_labels(grid, lesion, tissues), canal_labels(grid, VirtualLesion{}, tissues))
            .escc);
  };
  const auto threshold = [&](int least) { return least_thickness_mm(grade, least, most); };
  const double from = threshold(wanted), to = wanted < 5 ? threshold(wanted + 1) : most;
  for (const double share : {wanted == 1 ? 0.8 : 0.4, 0.5, 0.3, 0.65, 0.2, 0.8, 0.1, 0.9}) {
    set(wanted == 5 ? std::min(most, from + 3 * share) : from + share * (to - from));
    if (rank(measure_epidural(lesion, tissues).escc) == wanted) return;
  }
  throw ConfigError("epidural grade " + lesion.options.escc + " cannot be made here",
                    "canal of " + lesion.vertebra.level, "ask for another grade, level or seed");
}

}  // namespace

double VirtualLesion::distance_mm(const Eigen::Vector3d& world) const {
  return std::min(bone_distance_mm(world), soft_distance_mm(world));
}

double VirtualLesion::soft_distance_mm(const Eigen::Vector3d& world) const {
  if (!room) return kFar_mm;
  double d = kFar_mm;
  if (curtain.at(world.z())) {
    const SpineSection s = room->canal.section(world.z());
    const Eigen::Vector3d p = room->canal.to_section(world);
    const double front = s.canal_y - s.canal_b;
    d = std::max({p.y() - curtain.back_y(s, p.x(), p.z()), front - kWallReach_mm - p.y(),
                  std::abs(p.x()) - s.canal_a});
  }
  if (mass_half_mm.minCoeff() > 0) {
    const Eigen::Vector3d from = vertebra.vertebra_from_world * world - mass_centre_mm;
    const double n = from.cwiseQuotient(mass_half_mm).norm();
    double mass = (n - 1) * mass_half_mm.minCoeff() +
                  0.15 * mass_half_mm.minCoeff() * value_noise_2(from / 7, seed + 5);
    const Eigen::Vector3d p = room->canal.to_section(world);
    mass = std::max(mass, -canal_distance(room->canal.section(world.z()), p));
    d = std::min(d, mass);
  }
  if (d > 2) return d;
  return std::max(d, -sample_linear(room->hard_mm, world).value_or(-kFar_mm));
}

double VirtualLesion::bone_distance_mm(const Eigen::Vector3d& world) const {
  const auto depth = sample_linear(vertebra.depth_mm, world);
  if (!depth || *depth > 2) return depth ? *depth : kFar_mm;
  const Eigen::Vector3d p = vertebra.vertebra_from_world * world, from = p - local_centre_mm;
  const double radius = options.radius_mm.value();
  const double length = from.norm(), n = from.cwiseQuotient(half_mm).norm();
  double d = n < 1e-6 ? -half_mm.minCoeff() : length * (1 - 1 / n);
  d += kRoughness * radius * value_noise_2(from / (0.9 * radius), seed);
  d = std::max(d, length - radius);
  for (const Tube& t : tubes) d = smooth_min(d, tube_distance(t, p) + 0.5 * value_noise(p / 3, seed + 1), 2);
  if (channel) d = smooth_min(d, tube_distance(*channel, p), 1.5);
  if (destroys(options.kind) && *depth > -kMoth_mm && d < kMoth_mm)
    d -= kMoth_mm * std::clamp(value_noise(p / 2.5, seed + 2), 0.0, 1.0);
  return std::max(d, *depth);
}

Material VirtualLesion::material_at(const Eigen::Vector3d& world) const {
  if (room && bone_distance_mm(world) > soft_distance_mm(world)) return Material::tumour_lytic;
  return lesion_material(options.kind, value_noise(world / kIsland_mm, seed + 3) > 0.1);
}

double VirtualLesion::hu_at(const Eigen::Vector3d& world) const {
  const double texture = value_noise_2(world / 4, seed + 4);
  return material_at(world) == Material::tumour_blastic ? blastic_HU + kBlasticTexture_HU * texture
                                                        : lytic_HU + kLyticTexture_HU * texture;
}

Eigen::AlignedBox3d VirtualLesion::box() const {
  const Rigid world_from_vertebra = inverse(vertebra.vertebra_from_world);
  Eigen::AlignedBox3d out;
  const auto add = [&](const Eigen::Vector3d& local, double radius) {
    const Eigen::Vector3d x = world_from_vertebra * local, r = Eigen::Vector3d::Constant(radius + kMoth_mm);
    out.extend(Eigen::Vector3d(x - r));
    out.extend(Eigen::Vector3d(x + r));
  };
  add(local_centre_mm, options.radius_mm.value());
  const auto add_tube = [&](const Tube& t) {
    add(t.a_mm, t.radius_mm + 2);
    add(t.b_mm, t.radius_mm + 2);
  };
  for (const Tube& t : tubes) add_tube(t);
  if (channel) add_tube(*channel);
  if (mass_half_mm.minCoeff() > 0) add(mass_centre_mm, 1.3 * mass_half_mm.maxCoeff());
  if (room && curtain.thickness_mm > 0)
    for (double z = curtain.z_mm - curtain.half_length_mm; z <= curtain.z_mm + curtain.half_length_mm;
         z += 1) {
      const SpineSection s = room->canal.section(z);
      const double x = room->canal.middle_x(z);
      out.extend(Eigen::Vector3d(x - s.canal_a - 2, s.canal_y - s.canal_b - kWallReach_mm - 2, z));
      out.extend(Eigen::Vector3d(x + s.canal_a + 2, s.canal_y + s.canal_b + 2, z));
    }
  return out;
}

VirtualLesion shape_virtual_lesion(const LesionOptions& options, std::uint64_t seed,
                                   LabelledVertebra vertebra, const CtTissueMap& tissues) {
  options.validate();
  if (options.fracture != 0)
    throw ConfigError("a fracture cannot be drawn into a real scan", "--lesion",
                      "leave it out, or make a phantom: --levels");

  auto rng = trial_rng(seed, kShapeStream);
  const auto draw = [&rng](double low, double high) {
    return low + (high - low) * std::uniform_real_distribution<double>(0, 1)(rng);
  };
  VirtualLesion out;
  out.seed = std::uint32_t(rng());
  out.options = options;
  if (options.opens_wall() && !out.options.wall_defect_mm) out.options.wall_defect_mm = kEpiduralHole_mm;
  out.lytic_HU = draw(40, 70);
  out.blastic_HU = draw(480, 620);
  const LabelledVertebra& v = vertebra;
  const Eigen::Vector3d half = v.half_mm;
  const bool in_pedicle = options.place == LesionPlace::pedicle;
  const std::size_t side = options.side > 0 ? 0 : 1;
  const auto need_pedicle = [&](std::size_t s) {
    if (v.pedicles[s]) return *v.pedicles[s];
    throw ConfigError(fmt::format("the labels show no {} pedicle of {}", s == 0 ? "left" : "right", v.level),
                      "--lesion", "choose the other side or another place");
  };

  const double largest = (in_pedicle ? half.minCoeff() : std::min(half.y(), half.z())) - 1;
  const double radius = options.radius_mm.value_or(in_pedicle ? std::min(5.0, largest)
                                                              : std::min(kUsualRadius_mm, largest - 1));
  if (radius > largest)
    throw ConfigError(fmt::format("a lesion of {:g} mm does not fit into {}", 2 * radius, size_words(v)),
                      "--lesion", fmt::format("use size:{:.0f} or less", std::floor(2 * largest)));
  out.options.radius_mm = radius;
  // The largest axis is drawn to lie across, along the depth, or along the height.
  const int longest = int(draw(0, 3)) % 3;
  for (int a = 0; a < 3; ++a) out.half_mm[a] = radius * (a == longest ? 0.97 : draw(0.8, 0.95));

  Eigen::Vector3d& centre = out.local_centre_mm;
  if (in_pedicle) {
    centre = need_pedicle(side);
  } else {
    const double depth = out.half_mm.y(), front = -half.y(), free = v.wall_y_mm - front - 2 * depth;
    const double gap = out.options.wall_defect_mm
                           ? 0
                           : options.wall_gap_mm.value_or(std::min(kUsualGap_mm, std::max(1.0, free / 3)));
    if (options.place != LesionPlace::central && gap > free)
      throw ConfigError(fmt::format("a lesion of {:g} mm at {:g} mm from the wall does not fit into {}",
                                    2 * radius, gap, size_words(v)),
                        "--wall-gap", "use a smaller lesion or gap");
    const double aside = std::max(0.0, std::min(0.4 * half.x(), half.x() - radius - 2));
    centre.z() = draw(-0.4, 0.4) * std::max(0.0, half.z() - radius);
    switch (options.place) {
      case LesionPlace::anterior:
        centre.x() = options.side * aside * draw(0.3, 1);
        centre.y() = front + gap + depth;
        break;
      case LesionPlace::posterior:
        centre.x() = options.side * aside * draw(0.6, 1);
        centre.y() = v.wall_y_mm - gap - depth;
        break;
      case LesionPlace::central:
      case LesionPlace::pedicle:
        centre.x() = 0.15 * half.x() * draw(-1, 1);
        centre.y() = (front + v.wall_y_mm) / 2 + 0.2 * std::max(0.0, free / 2) * draw(-1, 1);
        break;
    }
    if (options.place != LesionPlace::central) out.options.wall_gap_mm = gap;
    for (int n = 0; n < options.pedicles; ++n) {
      const std::size_t s = n == 0 ? side : 1 - side;
      const Eigen::Vector3d pedicle = need_pedicle(s);
      const double thick = std::min(0.6 * radius, v.pedicle_half_mm[s] + 0.7);
      out.tubes.push_back({centre, pedicle + 3 * (pedicle - centre).normalized(), thick});
    }
    if (out.options.wall_defect_mm) {
      const double r = *out.options.wall_defect_mm / 2;
      const double limit = std::max(0.0, v.canal_half_width_mm - r);
      if (r > v.canal_half_width_mm)
        throw ConfigError(fmt::format("a hole of {:g} mm is wider than the canal of {} ({:.0f} mm)", 2 * r,
                                      v.level, 2 * v.canal_half_width_mm),
                          "--lesion", "use a smaller wall-defect");
      const Eigen::Vector3d hole(std::clamp(centre.x(), -limit, limit), v.wall_y_mm + 4, centre.z());
      out.channel =
          VirtualLesion::Tube{{hole.x(), std::min(centre.y(), v.wall_y_mm - r), centre.z()}, hole, r};
    }
  }
  out.centre_mm = inverse(v.vertebra_from_world) * centre;
  out.vertebra = std::move(vertebra);
  if (options.paraspinal || options.escc != "0") out.room = find_room(tissues);
  if (options.paraspinal) {
    const double r = std::clamp(0.9 * radius, 6.0, 16.0);
    out.mass_centre_mm = {options.side * (half.x() + 0.35 * r), -0.05 * half.y(), centre.z()};
    out.mass_half_mm = {0.9 * r, r, 1.15 * r};
    out.tubes.push_back({centre, out.mass_centre_mm, 0.4 * r});
  }
  if (options.escc != "0") {
    out.curtain.z_mm =
        (inverse(out.vertebra.vertebra_from_world) *
         Eigen::Vector3d(0, out.vertebra.wall_y_mm, std::clamp(centre.z(), -0.5 * half.z(), 0.5 * half.z())))
            .z();
    out.curtain.side = options.side;
    out.curtain.other_lobe = draw(0.85, 0.97);
    out.curtain.tether_mm = draw(2, 2.5);
    grow_curtain(out, tissues, half.z() + draw(1, 2));
  }
  return out;
}

EpiduralMeasure measure_epidural(const VirtualLesion& lesion, const CtTissueMap& tissues) {
  EpiduralMeasure none;
  none.by_cord = level_index(lesion.vertebra.level).value_or(0) <= *level_index("L1");
  if (lesion.curtain.thickness_mm <= 0) return none;
  const Grid grid = canal_grid(lesion, kFineLabels_mm);
  return measure_epidural(canal_labels(grid, lesion, tissues), canal_labels(grid, VirtualLesion{}, tissues));
}

CtNoise measure_ct_noise(const Volume<float>& ct) {
  constexpr int kPatch = 7;
  const auto& size = ct.grid.size;
  std::vector<std::pair<double, double>> patches;  // variance, product of neighbours
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j + kPatch <= size[1]; j += kPatch)
      for (int i = 0; i + kPatch <= size[0]; i += kPatch) {
        double sum = 0, square = 0, product = 0, low = 1e9, high = -1e9;
        for (int b = 0; b < kPatch; ++b)
          for (int a = 0; a < kPatch; ++a) {
            const double v = double(ct(i + a, j + b, k));
            sum += v;
            square += v * v;
            low = std::min(low, v);
            high = std::max(high, v);
          }
        constexpr double kCount = kPatch * kPatch;
        const double mean = sum / kCount;
        if (!(mean > 0 && mean < 100 && high - mean < 100 && mean - low < 100)) continue;
        for (int b = 0; b < kPatch; ++b)
          for (int a = 0; a + 1 < kPatch; ++a)
            product += (double(ct(i + a, j + b, k)) - mean) * (double(ct(i + a + 1, j + b, k)) - mean);
        patches.emplace_back(square / kCount - mean * mean, product / (kCount - kPatch));
      }
  if (patches.empty()) return {};
  const auto quarter = patches.begin() + std::ptrdiff_t(patches.size() / 4);
  std::nth_element(patches.begin(), quarter, patches.end());
  double variance = 0, product = 0;
  for (auto p = patches.begin(); p <= quarter; ++p) {
    variance += p->first;
    product += p->second;
  }
  CtNoise out;
  out.sd_HU = std::sqrt(std::max(quarter->first, 0.0));
  // White noise through a Gaussian of s pixels correlates neighbours by exp(-1 / (4 s^2)).
  const double correlation = variance > 0 ? product / variance : 0;
  if (correlation > 0.05)
    out.grain_px = std::min(std::sqrt(-1 / (4 * std::log(std::min(correlation, 0.9)))), 1.2);
  return out;
}

void draw_into_ct(Volume<float>& ct, const VirtualLesion& lesion, const CtNoise& noise, std::uint64_t seed) {
  if (lesion.options.kind == LesionKind::marrow) return;
  const Grid& g = ct.grid;
  // Voxels about the lesion, with room for the blur.
  const Eigen::AlignedBox3d box = lesion.box();
  Eigen::AlignedBox3d index;
  for (int corner = 0; corner < 8; ++corner)
    index.extend(g.to_index(box.corner(Eigen::AlignedBox3d::CornerType(corner))));
  std::array<int, 3> first{}, size{};
  const Eigen::Vector3d sigma = (g.spacing_mm.cwiseMax(1.0) / 2.355);
  for (int a = 0; a < 3; ++a) {
    const std::size_t n = std::size_t(a);
    const int room = int(std::ceil(3 * sigma[a] / g.spacing_mm[a])) + 1;
    first[n] = std::clamp(int(std::floor(index.min()[a])) - room, 0, g.size[n] - 1);
    size[n] = std::clamp(int(std::ceil(index.max()[a])) + room, first[n], g.size[n] - 1) - first[n] + 1;
  }
  const Grid part = sub_grid(g, first, size);
  Volume<float> share(part), weighted(part);  // filled, and filled times the CT number
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = 0; i < size[0]; ++i) {
        double filled = 0, hu = 0;
        for (int n = 0; n < kPoints * kPoints * kPoints; ++n) {
          const int a = n % kPoints, b = n / kPoints % kPoints, c = n / (kPoints * kPoints);
          const Eigen::Vector3d at(i + (a + 0.5) / kPoints - 0.5, j + (b + 0.5) / kPoints - 0.5,
                                   k + (c + 0.5) / kPoints - 0.5);
          const Eigen::Vector3d x = part.to_world(at);
          if (lesion.distance_mm(x) >= 0) continue;
          ++filled;
          hu += lesion.hu_at(x);
        }
        share(i, j, k) = float(filled / (kPoints * kPoints * kPoints));
        weighted(i, j, k) = float(hu / (kPoints * kPoints * kPoints));
      }
  share = blur(share, sigma);
  weighted = blur(weighted, sigma);
  const SliceNoise grain(noise.grain_px);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < size[2]; ++k) {
    auto rng = slice_rng(seed, kNoiseStream, first[2] + k);
    const std::vector<float> n = grain.draw(size[0], size[1], rng);
    for (int j = 0; j < size[1]; ++j)
      for (int i = 0; i < size[0]; ++i) {
        const double c = double(share(i, j, k));
        if (c < 0.01) continue;
        float& here = ct(first[0] + i, first[1] + j, first[2] + k);
        double hu = double(weighted(i, j, k)) + (1 - c) * double(here);
        if (lesion.options.kind == LesionKind::blastic) hu = std::max(hu, double(here));
        hu += noise.sd_HU * std::sqrt(c * (2 - c)) *
              double(n[std::size_t(j) * std::size_t(size[0]) + std::size_t(i)]);
        here = stored_HU(hu);
      }
  }
}

}  // namespace spinetherm
