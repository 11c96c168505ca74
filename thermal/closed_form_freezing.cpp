// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/closed_form.h"

namespace spinetherm {
namespace {

double square(double x) { return x * x; }

/// Root of f in (low, high), f(low) > 0 > f(high), by bisection to round-off.
template <class F>
double root(double low, double high, F&& f) {
  if (!(f(low) > 0) || !(f(high) < 0))
    throw ConfigError("no freezing front: the transcendental equation has no root", "closed form",
                      "the wall must be colder than the solidus and the tissue warmer than the liquidus");
  for (int n = 0; n < 100; ++n) {
    const double middle = (low + high) / 2;
    (f(middle) > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

struct Diffusivities {
  double solid, mushy, liquid;
  explicit Diffusivities(const FreezingTissue& t)
      : solid(t.frozen_k / (t.density_kg_per_m3 * t.frozen_c)),
        mushy(t.mushy_k() / (t.density_kg_per_m3 * t.mushy_c())),
        liquid(t.unfrozen_k / (t.density_kg_per_m3 * t.unfrozen_c)) {}
};

/// Ei(-p), p > 0.
double ei_minus(double p) { return std::expint(-p); }

/// Beyond this argument a front would sit where nothing has happened yet; exp(-x^2) is still a number.
constexpr double kFarthest = 20;

}  // namespace

double FreezingFronts::solid_mm(double t_s) const {
  return 2 * lambda_solid * std::sqrt(alpha_s * t_s) / kMetre_per_mm;
}
double FreezingFronts::liquid_mm(double t_s) const {
  return 2 * lambda_liquid * std::sqrt(alpha_s * t_s) / kMetre_per_mm;
}

FreezingFronts stefan_fronts(const FreezingTissue& t, double wall_degC) {
  const double stefan = t.frozen_c * (t.liquidus_degC - wall_degC) / t.latent_J_per_kg;
  const double l =
      root(1e-9, 5, [&](double x) { return stefan / std::sqrt(kPi) - x * std::exp(x * x) * std::erf(x); });
  return {l, l, Diffusivities(t).solid};
}

FreezingFronts neumann_fronts(const FreezingTissue& t, double wall_degC, double initial_degC) {
  const Diffusivities a(t);
  const double r = std::sqrt(a.solid / a.liquid), drop = t.liquidus_degC - wall_degC;
  const double l = root(1e-9, kFarthest / std::max(1.0, r), [&](double x) {
    return std::exp(-x * x) / std::erf(x) -
           t.unfrozen_k / t.frozen_k * r * (initial_degC - t.liquidus_degC) / drop *
               std::exp(-square(x * r)) / std::erfc(x * r) -
           x * std::sqrt(kPi) * t.latent_J_per_kg / (t.frozen_c * drop);
  });
  return {l, l, a.solid};
}

double neumann_degC(const FreezingTissue& t, double wall_degC, double initial_degC, double x_mm, double t_s) {
  const Diffusivities a(t);
  const FreezingFronts f = neumann_fronts(t, wall_degC, initial_degC);
  const double x = x_mm * kMetre_per_mm;
  if (x_mm <= f.solid_mm(t_s))
    return wall_degC + (t.liquidus_degC - wall_degC) * std::erf(x / (2 * std::sqrt(a.solid * t_s))) /
                           std::erf(f.lambda_solid);
  return initial_degC - (initial_degC - t.liquidus_degC) * std::erfc(x / (2 * std::sqrt(a.liquid * t_s))) /
                            std::erfc(f.lambda_liquid * std::sqrt(a.solid / a.liquid));
}

FreezingFronts mushy_slab_fronts(const FreezingTissue& t, double wall_degC, double initial_degC) {
  const Diffusivities a(t);
  const double rm = std::sqrt(a.solid / a.mushy), rl = std::sqrt(a.solid / a.liquid);
  const double far = kFarthest / std::max({1.0, rm, rl});
  const double km = t.mushy_k() * (t.liquidus_degC - t.solidus_degC) / std::sqrt(a.mushy);
  // erfc, not erf: both are near 1 far out.
  const auto mushy_flux = [&](double at, double solid, double liquid) {
    return km * std::exp(-square(at * rm)) / (std::erfc(solid * rm) - std::erfc(liquid * rm));
  };
  const auto liquid_front = [&](double solid) {
    return root(solid * (1 + 1e-12), far, [&](double x) {
      return mushy_flux(x, solid, x) - t.unfrozen_k * (initial_degC - t.liquidus_degC) / std::sqrt(a.liquid) *
                                           std::exp(-square(x * rl)) / std::erfc(x * rl);
    });
  };
  const double solid = root(1e-6, 0.95 * far, [&](double x) {
    return t.frozen_k * (t.solidus_degC - wall_degC) / std::sqrt(a.solid) * std::exp(-x * x) / std::erf(x) -
           mushy_flux(x, x, liquid_front(x));
  });
  return {solid, liquid_front(solid), a.solid};
}

double mushy_slab_degC(const FreezingTissue& t, double wall_degC, double initial_degC, double x_mm,
                       double t_s) {
  const Diffusivities a(t);
  const FreezingFronts f = mushy_slab_fronts(t, wall_degC, initial_degC);
  const double x = x_mm * kMetre_per_mm;
  const auto s = [&](double alpha) { return x / (2 * std::sqrt(alpha * t_s)); };
  if (x_mm <= f.solid_mm(t_s))
    return wall_degC + (t.solidus_degC - wall_degC) * std::erf(s(a.solid)) / std::erf(f.lambda_solid);
  if (x_mm <= f.liquid_mm(t_s)) {
    const double rm = std::sqrt(a.solid / a.mushy);
    const double from = std::erf(f.lambda_solid * rm), to = std::erf(f.lambda_liquid * rm);
    return t.solidus_degC + (t.liquidus_degC - t.solidus_degC) * (std::erf(s(a.mushy)) - from) / (to - from);
  }
  return initial_degC - (initial_degC - t.liquidus_degC) * std::erfc(s(a.liquid)) /
                            std::erfc(f.lambda_liquid * std::sqrt(a.solid / a.liquid));
}

FreezingFronts line_sink_fronts(const FreezingTissue& t, double Q_W_per_m, double initial_degC) {
  const Diffusivities a(t);
  const double r = a.solid / a.liquid;
  const double l = root(1e-6, kFarthest / std::max(1.0, std::sqrt(r)), [&](double x) {
    return Q_W_per_m / (4 * kPi) * std::exp(-x * x) +
           t.unfrozen_k * (initial_degC - t.liquidus_degC) * std::exp(-x * x * r) / ei_minus(x * x * r) -
           x * x * a.solid * t.latent_J_per_kg * t.density_kg_per_m3;
  });
  return {l, l, a.solid};
}

double line_sink_degC(const FreezingTissue& t, double Q_W_per_m, double initial_degC, double r_mm,
                      double t_s) {
  const Diffusivities a(t);
  const FreezingFronts f = line_sink_fronts(t, Q_W_per_m, initial_degC);
  const double x = square(r_mm * kMetre_per_mm) / (4 * t_s), l2 = square(f.lambda_solid);
  if (r_mm <= f.solid_mm(t_s))
    return t.liquidus_degC + Q_W_per_m / (4 * kPi * t.frozen_k) * (ei_minus(x / a.solid) - ei_minus(l2));
  return initial_degC -
         (initial_degC - t.liquidus_degC) * ei_minus(x / a.liquid) / ei_minus(l2 * a.solid / a.liquid);
}

FreezingFronts mushy_line_sink_fronts(const FreezingTissue& t, double Q_W_per_m, double initial_degC) {
  const Diffusivities a(t);
  const double rm = a.solid / a.mushy, rl = a.solid / a.liquid;
  const double far = kFarthest / std::sqrt(std::max({1.0, rm, rl}));
  const double km = t.mushy_k() * (t.liquidus_degC - t.solidus_degC);
  const auto mushy_flow = [&](double at, double solid, double liquid) {
    return km * std::exp(-at * at * rm) / (ei_minus(liquid * liquid * rm) - ei_minus(solid * solid * rm));
  };
  const auto liquid_front = [&](double solid) {
    return root(solid * (1 + 1e-12), far, [&](double x) {
      return mushy_flow(x, solid, x) +
             t.unfrozen_k * (initial_degC - t.liquidus_degC) * std::exp(-x * x * rl) / ei_minus(x * x * rl);
    });
  };
  const double solid = root(1e-6, 0.95 * far, [&](double x) {
    return Q_W_per_m / (4 * kPi) * std::exp(-x * x) - mushy_flow(x, x, liquid_front(x));
  });
  return {solid, liquid_front(solid), a.solid};
}

double mushy_line_sink_degC(const FreezingTissue& t, double Q_W_per_m, double initial_degC, double r_mm,
                            double t_s) {
  const Diffusivities a(t);
  const FreezingFronts f = mushy_line_sink_fronts(t, Q_W_per_m, initial_degC);
  const double x = square(r_mm * kMetre_per_mm) / (4 * t_s);
  if (r_mm <= f.solid_mm(t_s))
    return t.solidus_degC +
           Q_W_per_m / (4 * kPi * t.frozen_k) * (ei_minus(x / a.solid) - ei_minus(square(f.lambda_solid)));
  if (r_mm <= f.liquid_mm(t_s)) {
    const double rm = a.solid / a.mushy;
    const double from = ei_minus(square(f.lambda_solid) * rm), to = ei_minus(square(f.lambda_liquid) * rm);
    return t.solidus_degC + (t.liquidus_degC - t.solidus_degC) * (ei_minus(x / a.mushy) - from) / (to - from);
  }
  return initial_degC - (initial_degC - t.liquidus_degC) * ei_minus(x / a.liquid) /
                            ei_minus(square(f.lambda_liquid) * a.solid / a.liquid);
}

}  // namespace spinetherm
