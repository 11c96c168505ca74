// SPDX-License-Identifier: Apache-2.0
#include "thermal/antenna_field.h"

#include <fmt/format.h>

#include <Eigen/SparseCore>
#include <Eigen/SparseLU>
#include <algorithm>
#include <cmath>
#include <utility>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Complex = std::complex<double>;
constexpr Complex kJ{0, 1};
/// Permittivity and impedance of the vacuum, CODATA 2018.
constexpr double kVacuum_F_per_m = 8.8541878128e-12, kVacuum_ohm = 376.730313668;

struct Mark {
  double at = 0;
  bool sharp = false;  ///< the field is singular there
};

/// Faces of cells between the marks, which all are faces: as fine as `finest` at sharp ones, then growing.
std::vector<double> graded(const std::vector<Mark>& marks, const AntennaFieldOptions& o, double coarsest) {
  const auto size_at = [&](double x) {
    double distance = HUGE_VAL;
    for (const Mark& m : marks)
      if (m.sharp) distance = std::min(distance, std::abs(x - m.at));
    return std::min(coarsest, o.finest_mm + std::log(o.growth) * distance);
  };
  std::vector<double> faces{marks.front().at};
  for (std::size_t n = 0; n + 1 < marks.size(); ++n) {
    const double a = marks[n].at, b = marks[n + 1].at;
    // Cells counted along the stretch, then cut at equal parts of the count.
    const int samples = std::max(64, int(std::ceil(4 * (b - a) / o.finest_mm)));
    const double step = (b - a) / samples;
    std::vector<double> count{0};
    for (int s = 0; s < samples; ++s) count.push_back(count.back() + step / size_at(a + (s + 0.5) * step));
    const int cells = std::max(1, int(std::ceil(count.back() - 1e-9)));
    std::size_t s = 0;
    for (int c = 1; c < cells; ++c) {
      const double wanted = count.back() * c / cells;
      while (count[s + 1] < wanted) ++s;
      faces.push_back(a + step * (double(s) + (wanted - count[s]) / (count[s + 1] - count[s])));
    }
    faces.push_back(b);
  }
  return faces;
}

std::vector<Mark> in_order(std::vector<Mark> marks) {
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.at < b.at; });
  std::vector<Mark> unique;
  for (const Mark& m : marks) {
    if (unique.empty() || m.at - unique.back().at > 1e-9)
      unique.push_back(m);
    else
      unique.back().sharp = unique.back().sharp || m.sharp;
  }
  return unique;
}

/// The half plane cut into cells; lengths in metres.
class Cells {
 public:
  Cells(const CoaxialAntenna& antenna, const DielectricAround& tissue, const AntennaFieldOptions& options)
      : antenna_(antenna) {
    const double omega = 2 * kPi * antenna.frequency_MHz * 1e6;
    k0_ = omega * kVacuum_F_per_m * kVacuum_ohm;
    const Dielectric far = tissue(options.radius_mm, (options.behind_mm - options.before_mm) / 2);
    const double wave_mm = 2 * kPi / k0_ / std::sqrt(std::max(far.relative_permittivity, 1.0)) * 1e3;
    const double coarsest = std::min(options.coarsest_mm, wave_mm / 15);
    std::vector<Mark> along_r = {{0},
                                 {antenna.inner_radius_mm},
                                 {antenna.dielectric_radius_mm, true},
                                 {antenna.outer_radius_mm, true},
                                 {antenna.catheter_radius_mm},
                                 {options.radius_mm}};
    std::vector<Mark> along_z = {{-options.before_mm},
                                 {0},
                                 {antenna.cap_from_tip_mm, true},
                                 {antenna.cap_to_tip_mm},
                                 {antenna.slot_from_tip_mm, true},
                                 {antenna.slot_to_tip_mm, true},
                                 {options.behind_mm}};
    if (const auto& tube = antenna.sleeve; tube && tube->from_tip_mm < options.behind_mm) {
      along_r.push_back({tube->radius_mm, true});
      along_z.push_back({tube->from_tip_mm, true});
    }
    r_mm = graded(in_order(std::move(along_r)), options, coarsest);
    z_mm = graded(in_order(std::move(along_z)), options, coarsest);
    eps.resize(count());
    conductivity.resize(count());
    metal.assign(count(), 0);
    for (std::size_t k = 0; k < nz(); ++k)
      for (std::size_t i = 0; i < nr(); ++i) {
        const std::size_t c = index(i, k);
        const double r = (r_mm[i] + r_mm[i + 1]) / 2, z = (z_mm[k] + z_mm[k + 1]) / 2;
        const Dielectric d = inside(r, z, metal[c], tissue);
        conductivity[c] = d.conductivity_S_per_m;
        eps[c] = d.relative_permittivity - kJ * d.conductivity_S_per_m / (omega * kVacuum_F_per_m);
      }
  }

  std::size_t nr() const { return r_mm.size() - 1; }
  std::size_t nz() const { return z_mm.size() - 1; }
  std::size_t count() const { return nr() * nz(); }
  std::size_t index(std::size_t i, std::size_t k) const { return i + nr() * k; }
  double r(std::size_t face) const { return r_mm[face] * kMetre_per_mm; }
  double dz(std::size_t k) const { return (z_mm[k + 1] - z_mm[k]) * kMetre_per_mm; }
  double centre(std::size_t i) const { return (r(i) + r(i + 1)) / 2; }
  /// Integral of dr/r over a cell, of u dr/r over u on the axis, where u grows with the square of r.
  double ring(std::size_t i) const { return i == 0 ? 2 : std::log(r(i + 1) / r(i)); }
  /// Integrals of r dr from the centre outwards and from the inner face to the centre.
  double outer_part(std::size_t i) const { return (r(i + 1) * r(i + 1) - centre(i) * centre(i)) / 2; }
  double inner_part(std::size_t i) const { return (centre(i) * centre(i) - r(i) * r(i)) / 2; }
  double volume(std::size_t i, std::size_t k) const {
    return kPi * (r(i + 1) * r(i + 1) - r(i) * r(i)) * dz(k);
  }
  double k0() const { return k0_; }
  bool is_port(std::size_t i) const {
    const double r_here = centre(i) / kMetre_per_mm;
    return r_here > antenna_.inner_radius_mm && r_here < antenna_.dielectric_radius_mm;
  }

  std::vector<double> r_mm, z_mm;
  std::vector<Complex> eps;  ///< relative
  std::vector<double> conductivity;
  std::vector<std::uint8_t> metal;

 private:
  Dielectric inside(double r, double z, std::uint8_t& is_metal, const DielectricAround& tissue) const {
    const CoaxialAntenna& a = antenna_;
    if (!a.holds(r, z)) return tissue(r, z);
    if (r > a.catheter_radius_mm) {
      is_metal = 1;
      return {1, 0};
    }
    const Dielectric plastic{a.catheter_permittivity, 0}, line{a.dielectric_permittivity, 0};
    if (z < a.cap_from_tip_mm || r > a.outer_radius_mm) return plastic;
    const bool slot = z > a.slot_from_tip_mm && z < a.slot_to_tip_mm;
    is_metal = z < a.cap_to_tip_mm || r < a.inner_radius_mm || (r > a.dielectric_radius_mm && !slot) ? 1 : 0;
    return line;
  }

  const CoaxialAntenna& antenna_;
  double k0_ = 0;
};

/// A face of a cell that ends the cylinder: E, times r where it is E_r, over u at the centre; and u at the
/// face over that.
struct End {
  Complex field, face;
};
/// `along`: what E is integrated over to give the step of u from the centre to the face, `over`: r of the
/// face where E is E_z, else 1.
End end_of(Complex eps, double k0, double along, double over) {
  const Complex k = k0 * std::sqrt(eps), eta = kVacuum_ohm / std::sqrt(eps);
  const Complex inner = Complex(1) / (Complex(1) + kJ * k * along / over);
  return {eta / over * inner, inner};
}

/// The cell that holds x, the next one to the side on which x lies, and how far it is on the way there.
struct Bracket {
  std::size_t own = 0, other = 0;
  double share = 0;
};
Bracket bracket(const std::vector<double>& faces, double x) {
  Bracket b;
  b.own = std::size_t(std::upper_bound(faces.begin(), faces.end(), x) - faces.begin()) - 1;
  const auto middle = [&](std::size_t n) { return (faces[n] + faces[n + 1]) / 2; };
  const bool up = x > middle(b.own);
  const bool ends = up ? b.own + 2 == faces.size() : b.own == 0;
  b.other = ends ? b.own : up ? b.own + 1 : b.own - 1;
  b.share = ends ? 0 : (x - middle(b.own)) / (middle(b.other) - middle(b.own));
  return b;
}

}  // namespace

void validate(const CoaxialAntenna& a) {
  const auto rule = [](bool holds, const char* field, double value, const char* what) {
    if (!holds) throw ConfigError(fmt::format("{} is {}", field, value), "/antenna", what);
  };
  rule(a.frequency_MHz >= 100 && a.frequency_MHz <= 10000, "frequency_MHz", a.frequency_MHz,
       "must lie in [100, 10000] MHz");
  rule(a.inner_radius_mm > 0, "inner_radius_mm", a.inner_radius_mm, "must be > 0 mm");
  rule(a.dielectric_radius_mm > a.inner_radius_mm, "dielectric_radius_mm", a.dielectric_radius_mm,
       "must be larger than inner_radius_mm");
  rule(a.outer_radius_mm > a.dielectric_radius_mm, "outer_radius_mm", a.outer_radius_mm,
       "must be larger than dielectric_radius_mm");
  rule(a.catheter_radius_mm >= a.outer_radius_mm, "catheter_radius_mm", a.catheter_radius_mm,
       "must be at least outer_radius_mm");
  rule(a.dielectric_permittivity >= 1, "dielectric_permittivity", a.dielectric_permittivity, "must be >= 1");
  rule(a.catheter_permittivity >= 1, "catheter_permittivity", a.catheter_permittivity, "must be >= 1");
  rule(a.cap_from_tip_mm >= 0, "cap_from_tip_mm", a.cap_from_tip_mm, "must be >= 0 mm");
  rule(a.cap_to_tip_mm > a.cap_from_tip_mm, "cap_to_tip_mm", a.cap_to_tip_mm,
       "must be larger than cap_from_tip_mm");
  rule(a.slot_from_tip_mm > a.cap_to_tip_mm, "slot_from_tip_mm", a.slot_from_tip_mm,
       "must be larger than cap_to_tip_mm");
  rule(a.slot_to_tip_mm > a.slot_from_tip_mm, "slot_to_tip_mm", a.slot_to_tip_mm,
       "must be larger than slot_from_tip_mm");
  if (!a.sleeve) return;
  rule(a.sleeve->radius_mm > a.catheter_radius_mm, "sleeve.radius_mm", a.sleeve->radius_mm,
       "must be larger than catheter_radius_mm");
  rule(a.sleeve->from_tip_mm > a.slot_to_tip_mm, "sleeve.from_tip_mm", a.sleeve->from_tip_mm,
       "must be larger than slot_to_tip_mm: metal over the slot is a short circuit");
}

double AntennaField::squared_V2_per_m2(double r, double z) const {
  if (!(r < r_mm.back() && z >= z_mm.front() && z < z_mm.back())) return 0;
  const Bracket along_r = bracket(r_mm, r), along_z = bracket(z_mm, z);
  const std::size_t nr = r_mm.size() - 1;
  const double own = squared_field_V2_per_m2[along_r.own + nr * along_z.own];
  double sum = 0;
  for (const auto& [i, wi] : {std::pair{along_r.own, 1 - along_r.share}, {along_r.other, along_r.share}})
    for (const auto& [k, wk] : {std::pair{along_z.own, 1 - along_z.share}, {along_z.other, along_z.share}}) {
      const bool same =
          antenna.holds((r_mm[i] + r_mm[i + 1]) / 2, (z_mm[k] + z_mm[k + 1]) / 2) == antenna.holds(r, z);
      sum += wi * wk * (same ? squared_field_V2_per_m2[i + nr * k] : own);
    }
  return sum;
}

AntennaField solve_antenna(const CoaxialAntenna& antenna, const DielectricAround& tissue,
                           const AntennaFieldOptions& options) {
  validate(antenna);
  if (!(options.behind_mm > antenna.slot_to_tip_mm + 5))
    throw ConfigError(fmt::format("AntennaFieldOptions.behind_mm is {}", options.behind_mm), "/antenna",
                      "the cylinder must end at least 5 mm behind the slot");
  const Cells cells(antenna, tissue, options);
  const std::size_t nr = cells.nr(), nz = cells.nz();
  const double k0 = cells.k0();

  // Conductances of the faces after each cell along z and r; 0 beside metal.
  const auto along_z = [&](std::size_t i, std::size_t k) -> Complex {
    const std::size_t c = cells.index(i, k), d = cells.index(i, k + 1);
    if (cells.metal[c] != 0 || cells.metal[d] != 0) return 0;
    return cells.ring(i) / ((cells.eps[c] * cells.dz(k) + cells.eps[d] * cells.dz(k + 1)) / 2.0);
  };
  const auto along_r = [&](std::size_t i, std::size_t k) -> Complex {
    const std::size_t c = cells.index(i, k), d = cells.index(i + 1, k);
    if (cells.metal[c] != 0 || cells.metal[d] != 0) return 0;
    return cells.dz(k) / (cells.eps[c] * cells.outer_part(i) + cells.eps[d] * cells.inner_part(i + 1));
  };
  const auto axis = [&](std::size_t k) {
    return cells.dz(k) / (cells.eps[cells.index(0, k)] * cells.inner_part(0));
  };
  const auto end_z = [&](std::size_t i, std::size_t k) {
    return end_of(cells.eps[cells.index(i, k)], k0, cells.dz(k) / 2, 1);
  };
  const auto end_r = [&](std::size_t k) {
    return end_of(cells.eps[cells.index(nr - 1, k)], k0, cells.outer_part(nr - 1), cells.r(nr));
  };
  // A field E of `end` enters as -j omega eps_0 E: k0 / eta_0 is omega eps_0.
  const auto enters = [&](Complex field, double width) { return -kJ * k0 / kVacuum_ohm * field * width; };

  const double eta_line = kVacuum_ohm / std::sqrt(antenna.dielectric_permittivity);
  const double incoming =
      1 / std::sqrt(kPi * eta_line * std::log(antenna.dielectric_radius_mm / antenna.inner_radius_mm));
  std::vector<int> unknown(cells.count(), -1);
  int unknowns = 0;
  for (std::size_t c = 0; c < cells.count(); ++c)
    if (cells.metal[c] == 0) unknown[c] = unknowns++;
  std::vector<Eigen::Triplet<Complex>> entries;
  entries.reserve(5 * std::size_t(unknowns));
  Eigen::VectorXcd right = Eigen::VectorXcd::Zero(unknowns), diagonal = right;
  for (std::size_t k = 0; k < nz; ++k)
    for (std::size_t i = 0; i < nr; ++i) {
      const std::size_t c = cells.index(i, k);
      const int row = unknown[c];
      if (row < 0) continue;
      const auto join = [&](std::size_t other, Complex g) {
        if (g == Complex(0)) return;
        const int column = unknown[other];
        entries.emplace_back(row, column, g);
        entries.emplace_back(column, row, g);
        diagonal[row] -= g;
        diagonal[column] -= g;
      };
      if (k + 1 < nz) join(cells.index(i, k + 1), along_z(i, k));
      if (i + 1 < nr) join(cells.index(i + 1, k), along_r(i, k));
      if (i == 0) diagonal[row] -= axis(k);
      diagonal[row] += k0 * k0 * cells.ring(i) * cells.dz(k);
      if (k == 0) diagonal[row] += enters(end_z(i, k).field, cells.ring(i));
      if (i + 1 == nr) diagonal[row] += enters(end_r(k).field, cells.dz(k));
      if (k + 1 == nz) {
        const Complex taken = enters(end_z(i, k).field, cells.ring(i));
        diagonal[row] += taken;
        if (cells.is_port(i)) right[row] += 2.0 * incoming * taken;
      }
    }
  for (int n = 0; n < unknowns; ++n) entries.emplace_back(n, n, diagonal[n]);
  Eigen::SparseMatrix<Complex> matrix(unknowns, unknowns);
  matrix.setFromTriplets(entries.begin(), entries.end());
  Eigen::SparseLU<Eigen::SparseMatrix<Complex>> lu;
  lu.isSymmetric(true);
  lu.compute(matrix);
  if (lu.info() != Eigen::Success)
    throw ConfigError("the field of the antenna cannot be solved: " + lu.lastErrorMessage(), "/antenna",
                      "check its lengths and the permittivity of the tissue");
  const Eigen::VectorXcd solution = lu.solve(right);
  const auto u = [&](std::size_t i, std::size_t k) -> Complex {
    const int n = unknown[cells.index(i, k)];
    return n < 0 ? Complex(0) : solution[n];
  };

  AntennaField field;
  field.r_mm = cells.r_mm;
  field.z_mm = cells.z_mm;
  field.unknowns = unknowns;
  field.antenna = antenna;
  // Integral of |E|^2 over each cell, from the halves of the cell that belong to its faces.
  std::vector<double> squared(cells.count(), 0.0);
  const double omega_eps0 = k0 / kVacuum_ohm;
  const auto add_z = [&](std::size_t i, std::size_t k, Complex times_r) {
    squared[cells.index(i, k)] += 2 * kPi * std::norm(times_r) * cells.ring(i) * cells.dz(k) / 2;
  };
  const auto add_r = [&](std::size_t i, std::size_t k, Complex E, double part) {
    squared[cells.index(i, k)] += 2 * kPi * std::norm(E) * part * cells.dz(k);
  };
  Complex at_port = 0;
  double ring_of_port = 0;
  for (std::size_t k = 0; k < nz; ++k)
    for (std::size_t i = 0; i < nr; ++i) {
      const std::size_t c = cells.index(i, k);
      if (cells.metal[c] != 0) continue;
      if (k + 1 < nz && cells.metal[cells.index(i, k + 1)] == 0) {
        const Complex E = -along_z(i, k) / cells.ring(i) * (u(i, k + 1) - u(i, k)) / (kJ * omega_eps0);
        add_z(i, k, E);
        add_z(i, k + 1, E);
      }
      if (i + 1 < nr && cells.metal[cells.index(i + 1, k)] == 0) {
        const Complex E = along_r(i, k) / cells.dz(k) * (u(i + 1, k) - u(i, k)) / (kJ * omega_eps0);
        add_r(i, k, E, cells.outer_part(i));
        add_r(i + 1, k, E, cells.inner_part(i + 1));
      }
      if (i == 0) add_r(i, k, axis(k) / cells.dz(k) * u(i, k) / (kJ * omega_eps0), cells.inner_part(0));
      const auto leave = [&](const End& end, Complex value, double width) {
        field.radiated_W += kPi * std::real(end.field * value * std::conj(end.face * value)) * width;
      };
      if (k == 0) {
        leave(end_z(i, k), u(i, k), cells.ring(i));
        add_z(i, k, end_z(i, k).field * u(i, k));
      }
      if (i + 1 == nr) {
        leave(end_r(k), u(i, k), cells.dz(k));
        add_r(i, k, end_r(k).field * u(i, k), cells.outer_part(i));
      }
      if (k + 1 < nz) continue;
      const End end = end_z(i, k);
      if (!cells.is_port(i)) {
        leave(end, u(i, k), cells.ring(i));
        add_z(i, k, end.field * u(i, k));
        continue;
      }
      // u at the face: that of the centre less the step that the field makes on the way.
      const Complex E = end.field * (u(i, k) - 2.0 * incoming);
      add_z(i, k, E);
      at_port += cells.ring(i) * (u(i, k) - kJ * omega_eps0 * cells.eps[c] * cells.dz(k) / 2.0 * E);
      ring_of_port += cells.ring(i);
    }
  field.reflection = at_port / ring_of_port / incoming - 1.0;
  field.reflected_W = std::norm(field.reflection);
  field.squared_field_V2_per_m2.resize(cells.count());
  field.power_density_W_per_m3.resize(cells.count());
  for (std::size_t k = 0; k < nz; ++k)
    for (std::size_t i = 0; i < nr; ++i) {
      const std::size_t c = cells.index(i, k);
      field.squared_field_V2_per_m2[c] = squared[c] / cells.volume(i, k);
      field.power_density_W_per_m3[c] = cells.conductivity[c] * field.squared_field_V2_per_m2[c] / 2;
      field.absorbed_W += cells.conductivity[c] * squared[c] / 2;
    }
  return field;
}

}  // namespace spinetherm
