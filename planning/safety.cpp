// SPDX-License-Identifier: Apache-2.0
#include "planning/safety.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// The run, made ready for sampling.
struct Fields {
  bool usable = false;
  Volume<float> peak, lowest, cem43, arrhenius, peak_time_s, lowest_time_s;
  LevelRegion disturbed, zone, ice;
  /// Heat and cold end inside the box: what lies beyond is at rest.
  bool rest_outside = false;
};

/// Cells without a damage law (NaN) beside ones that have it take the largest of those: the surface of a
/// nerve or of the dural sac is interpolated from both sides.
Volume<float> carried_over(const Volume<float>& field) {
  Volume<float> out = field;
  const Grid& g = field.grid;
  for (int k = 0; k < (field.empty() ? 0 : g.size[2]); ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!std::isnan(field(i, j, k))) continue;
        float& value = out(i, j, k);
        for (int w = -1; w <= 1; ++w)
          for (int v = -1; v <= 1; ++v)
            for (int u = -1; u <= 1; ++u) {
              if (!g.contains(i + u, j + v, k + w)) continue;
              const float other = field(i + u, j + v, k + w);
              if (!std::isnan(other) && !(value >= other)) value = other;
            }
      }
  return out;
}

Fields prepare(const ThermalResult& thermal, const std::vector<PlacedDevice>& applicators,
               const ExposureOptions& options) {
  Fields f;
  f.usable = thermal.summary.usable();
  if (!f.usable) return f;
  f.peak = without_shafts(thermal.peak_temperature, applicators);
  f.lowest = without_shafts(thermal.lowest_temperature, applicators, true);
  f.cem43 = without_shafts(thermal.cem43, applicators);
  f.arrhenius = carried_over(without_shafts(thermal.arrhenius, applicators));
  f.peak_time_s = thermal.peak_time_s;
  f.lowest_time_s = thermal.lowest_time_s;
  f.disturbed = disturbed_region(thermal, applicators, options.rest_degC, options.rest_tolerance_K);
  f.zone = ablation_zone(thermal, applicators, options.kill);
  f.ice = ice_region(thermal);
  f.rest_outside = f.disturbed.computed() && !f.disturbed.touches_box;
  return f;
}

/// Extreme of a field over the points where it is known.
struct Extreme {
  std::optional<FieldExtreme> at;
  bool complete = false;  ///< every point was known; else the truth may be worse, never better
};

/// Points outside the box count as `rest` where that is known. `sign` +1 seeks the largest, -1 the smallest
/// value.
Extreme extreme(const Volume<float>& field, const std::vector<Eigen::Vector3d>& points_mm, double rest,
                bool rest_outside, int sign) {
  Extreme e;
  if (field.empty() || points_mm.empty()) return e;
  e.complete = true;
  for (const auto& x : points_mm) {
    auto value = sample_linear(field, x);
    if (!value && rest_outside) value = rest;
    if (!value || !std::isfinite(*value)) {
      e.complete = false;
      continue;
    }
    if (!e.at || sign * (*value - e.at->value) > 0) e.at = FieldExtreme{*value, {}, x};
  }
  return e;
}

/// What the fields say of one structure.
struct Sampled {
  Extreme peak, lowest, cem43, arrhenius;
};

void add_time(std::optional<FieldExtreme>& e, const Volume<float>& times_s) {
  if (!e || times_s.empty()) return;
  if (const auto t = sample_nearest(times_s, e->at_mm); t && std::isfinite(*t)) e->t_s = *t;
}

/// Distances to regions: infinity when the region was computed and does not exist.
struct Distances {
  RegionDistance zone, ice;
};

void measure(const Structure& s, const Fields& f, const Distances& distances,
             const std::vector<PlacedDevice>& applicators, const ExposureOptions& options, Sampled& sampled,
             StructureExposure& e) {
  if (s.points_mm.empty()) return;
  if (!applicators.empty()) {
    double shaft_mm = kInf;
    std::optional<double> active_mm = kInf;  // one unknown part makes the nearest unknown
    for (const auto& placed : applicators)
      for (const auto& x : s.points_mm) {
        shaft_mm = shaft_distance_mm(placed, x, shaft_mm);
        if (active_mm) active_mm = active_distance_mm(placed, x, *active_mm);
      }
    e.distance_to_applicator_mm = shaft_mm;
    e.distance_to_active_mm = active_mm;
  }
  if (!f.usable) return;
  sampled.peak = extreme(f.peak, s.points_mm, options.rest_degC, f.rest_outside, 1);
  sampled.lowest = extreme(f.lowest, s.points_mm, options.rest_degC, f.rest_outside, -1);
  sampled.cem43 = extreme(f.cem43, s.points_mm, 0, f.rest_outside, 1);
  sampled.arrhenius = extreme(f.arrhenius, s.points_mm, 0, f.rest_outside, 1);
  add_time(sampled.peak.at, f.peak_time_s);
  add_time(sampled.lowest.at, f.lowest_time_s);
  if (f.zone.exists && !f.zone.touches_box) e.distance_to_zone_mm = distances.zone.nearest(s.points_mm);
  if (f.ice.exists && !f.ice.touches_box) e.distance_to_ice_mm = distances.ice.nearest(s.points_mm);
}

/// A region that was computed and is empty is infinitely far; one that reaches the box is not known.
std::optional<double> region_distance(const LevelRegion& region, const std::optional<double>& distance_mm) {
  if (!region.computed()) return std::nullopt;
  if (!region.exists) return kInf;
  return distance_mm;
}

/// A quantity that a limit asks for; `complete` as in Extreme.
struct Known {
  std::optional<double> value = {};
  bool complete = true;
};

Known quantity_of(const StructureExposure& e, const Sampled& sampled, const Fields& f,
                  const std::string& quantity) {
  const auto of = [](const Extreme& x) { return x.at ? Known{x.at->value, x.complete} : Known{}; };
  if (quantity == "peak_degC") return of(sampled.peak);
  if (quantity == "lowest_degC") return of(sampled.lowest);
  if (quantity == "cem43_min") return of(sampled.cem43);
  if (quantity == "arrhenius") return of(sampled.arrhenius);
  if (quantity == "shaft_distance_mm") return {e.distance_to_applicator_mm};
  if (quantity == "active_distance_mm") return {e.distance_to_active_mm};
  if (quantity == "zone_distance_mm") return {region_distance(f.zone, e.distance_to_zone_mm)};
  if (quantity == "ice_edge_distance_mm") return {region_distance(f.ice, e.distance_to_ice_mm)};
  return {};
}

bool is_distance(const std::string& quantity) { return quantity.ends_with("_distance_mm"); }

bool broken(const std::optional<double>& bound, bool above, double value) {
  return bound && (above ? value >= *bound : value < *bound);
}

std::string title_of(const std::string& quantity) {
  if (quantity == "peak_degC") return "peak";
  if (quantity == "lowest_degC") return "lowest";
  if (quantity == "cem43_min") return "CEM43";
  if (quantity == "arrhenius") return "Arrhenius integral";
  if (quantity == "shaft_distance_mm") return "distance to the shaft";
  if (quantity == "active_distance_mm") return "distance to the active part";
  if (quantity == "zone_distance_mm") return "distance to the ablation zone";
  if (quantity == "ice_edge_distance_mm") return "distance to the ice";
  if (quantity == "wall_defect_mm") return "opening of the posterior wall";
  if (quantity == "unprotected") return "neither sensor nor dissection";
  if (quantity == "sensor_mismatch_K") return "hottest dural point minus sensor";
  return quantity;
}

std::string with_unit(double value, const std::string& unit) {
  // Doses grow a thousandfold in ten kelvin: their digits say nothing any more.
  if (unit == "min" && value > 1e4) return "over 10000 min";
  return fmt::format("{:.1f}{}{}", value, unit.empty() ? "" : " ", unit);
}

/// What structures at rest have.
constexpr double kRest_degC = 37;

/// One limit, judged.
struct Judgement {
  Verdict verdict = Verdict::within_limits;
  const ExposureLimit* limit = nullptr;
  double bound = 0;
  std::string reason;
  double used = 0;  ///< of a temperature's or dose's way from rest to its bound
};

/// Facts under one hypothesis of the wall.
struct Conditions {
  bool wall_open = false, sensor = false, dissection = false;
  bool hold(const std::vector<std::string>& when) const {
    return std::all_of(when.begin(), when.end(), [&](const std::string& word) {
      if (word == "no_sensor") return !sensor;
      if (word == "no_sensor_no_dissection") return !sensor && !dissection;
      if (word == "wall_defect") return wall_open;
      return !wall_open;  // intact_wall; validate() knows no other word
    });
  }
};

using Quantity = std::function<Known(const std::string&)>;

Judgement judge(const ExposureLimit& limit, const std::vector<ExposureLimit>& limits,
                const Quantity& quantity) {
  Judgement j;
  j.limit = &limit;
  j.bound = limit.caution ? *limit.caution : *limit.unsafe;
  const auto [value, complete] = quantity(limit.quantity);
  const std::string name = title_of(limit.quantity);
  if (!value) {
    j.verdict = Verdict::unknown;
    j.reason = name + " not known";
    return j;
  }
  if (limit.quantity == "cem43_min")
    j.used = *value / j.bound;
  else if (limit.quantity == "peak_degC" || limit.quantity == "lowest_degC")
    j.used = (*value - kRest_degC) / (j.bound - kRest_degC);
  const bool caution = broken(limit.caution, limit.above, *value);
  bool unsafe = broken(limit.unsafe, limit.above, *value);
  bool partner_unknown = false, partner_holds = false;
  std::string what = fmt::format("{} {}{}", name, complete ? "" : "at least ", with_unit(*value, limit.unit));
  if (unsafe && !limit.unsafe_with.empty()) {
    for (const auto& other : limits)
      if (other.id == limit.unsafe_with) {
        const Known partner = quantity(other.quantity);
        const bool partner_broken = partner.value && broken(other.unsafe, other.above, *partner.value);
        partner_unknown = !partner_broken && (!partner.value || !partner.complete);
        partner_holds = !partner_broken && !partner_unknown;
        if (partner.value)
          what += fmt::format(" with {} {}", title_of(other.quantity), with_unit(*partner.value, other.unit));
      }
    unsafe = !partner_holds;
  }
  if (unsafe || caution || partner_holds) {
    j.verdict = unsafe ? (partner_unknown ? Verdict::unknown : Verdict::unsafe) : Verdict::caution;
    j.bound = unsafe || !limit.caution ? *limit.unsafe : *limit.caution;
  }
  if (!complete && j.verdict != Verdict::unsafe) {
    j.verdict = Verdict::unknown;
    j.reason = what + ", the rest lies outside the box of the simulation";
    return j;
  }
  j.reason =
      fmt::format("{}: {} {} {}", what, j.verdict == Verdict::within_limits ? "limit" : to_string(j.verdict),
                  limit.above ? "from" : "below", with_unit(j.bound, limit.unit));
  return j;
}

/// The worst limit of some classes, of equals the one that most is used of; without a verdict when no limit
/// of theirs holds.
std::optional<Judgement> worst_limit(const std::vector<std::string>& classes,
                                     const std::vector<ExposureLimit>& limits, const Conditions& conditions,
                                     bool doses_only, const Quantity& quantity) {
  std::optional<Judgement> worst_one;
  for (const auto& limit : limits) {
    if (std::find(classes.begin(), classes.end(), limit.structure) == classes.end()) continue;
    if (doses_only && is_distance(limit.quantity)) continue;
    if (!conditions.hold(limit.when)) continue;
    Judgement j = judge(limit, limits, quantity);
    const bool equal = worst_one && worst_one->verdict == j.verdict && j.verdict == Verdict::within_limits;
    if (!worst_one || worst_one->verdict < j.verdict || (equal && j.used > worst_one->used))
      worst_one = std::move(j);
  }
  return worst_one;
}

/// Both hypotheses while the wall is not known.
std::optional<Judgement> judge_classes(const std::vector<std::string>& classes,
                                       const std::vector<ExposureLimit>& limits, const ExposureFacts& facts,
                                       const ExposureOptions& options, bool doses_only,
                                       const Quantity& quantity) {
  Conditions c;
  for (const auto& p : facts.protections) {
    c.sensor |= std::holds_alternative<Thermocouple>(p) || std::holds_alternative<MrThermometry>(p);
    c.dissection |= std::holds_alternative<Dissection>(p);
  }
  if (facts.wall.defect_mm) {
    c.wall_open = *facts.wall.defect_mm > options.wall_defect_mm;
    return worst_limit(classes, limits, c, doses_only, quantity);
  }
  auto intact = worst_limit(classes, limits, c, doses_only, quantity);
  c.wall_open = true;
  auto open = worst_limit(classes, limits, c, doses_only, quantity);
  const auto verdict_of = [](const auto& j) { return j ? j->verdict : Verdict::within_limits; };
  const bool open_is_worse = !intact || verdict_of(intact) < verdict_of(open);
  auto& heavier = open_is_worse ? open : intact;
  if (verdict_of(heavier) == Verdict::unsafe &&
      verdict_of(open_is_worse ? intact : open) != Verdict::unsafe) {
    heavier->verdict = Verdict::unknown;
    heavier->reason +=
        fmt::format(", if the posterior wall is {}, which is not known", open_is_worse ? "open" : "intact");
  }
  return heavier;
}

void decide(const Structure& s, const Fields& f, const std::vector<ExposureLimit>& limits,
            const ExposureFacts& facts, const ExposureOptions& options, const std::string& run_message,
            const Sampled& sampled, StructureExposure& e) {
  if (s.whereabouts == Whereabouts::anywhere) {
    e.reason = "not known: " + s.reason;
    return;
  }
  if (s.whereabouts == Whereabouts::outside_image) {
    if (!f.usable) return;
    e.verdict = f.rest_outside ? Verdict::within_limits : Verdict::unknown;
    e.reason = s.reason + (f.rest_outside ? ": outside the heated region"
                                          : ", and the heat reaches the edge of the box");
    return;
  }
  if (s.points_mm.empty() && s.whereabouts == Whereabouts::known) {
    e.reason = "no point of it within reach";
    return;
  }
  std::vector<std::string> classes = s.also_classes;
  classes.push_back(s.limit_class);
  const bool unlabelled = s.whereabouts == Whereabouts::unlabelled;
  const auto judged = judge_classes(classes, limits, facts, options, unlabelled,
                                    [&](const std::string& q) { return quantity_of(e, sampled, f, q); });
  if (!judged) {
    e.reason = "no limit is known for class " + s.limit_class;
    return;
  }
  if (unlabelled) {
    e.verdict = judged->verdict == Verdict::within_limits ? Verdict::caution : Verdict::unknown;
    e.reason = fmt::format("{}; {}", s.reason,
                           judged->verdict == Verdict::within_limits
                               ? "none of it comes to a limit, but a path cannot be checked against it"
                               : judged->reason);
  } else {
    e.verdict = judged->verdict;
    e.reason = judged->verdict == Verdict::unknown && !f.usable
                   ? "the thermal run is not usable: " + run_message
                   : judged->reason;
    if (s.caution_at_best && e.verdict == Verdict::within_limits) {
      e.verdict = Verdict::caution;
      e.reason = "caution at best: " + s.reason + "; " + judged->reason;
    } else if (s.status == StructureStatus::estimated || s.status == StructureStatus::modelled) {
      e.reason += "; " + s.reason;
    }
    if (e.verdict == Verdict::within_limits && sampled.peak.at && sampled.peak.complete &&
        sampled.peak.at->value - options.rest_degC <= options.rest_tolerance_K && sampled.lowest.at &&
        options.rest_degC - sampled.lowest.at->value <= options.rest_tolerance_K)
      e.reason = "outside the heated region";
  }
  e.limit = AppliedLimit{judged->limit->id, judged->limit->quantity, judged->bound, judged->limit->source,
                         judged->limit->confidence};
  if (judged->limit->quantity == "peak_degC" || judged->limit->quantity == "cem43_min") {
    const Known q = quantity_of(e, sampled, f, judged->limit->quantity);
    if (q.value && q.complete && *q.value < judged->bound)
      e.time_above_limit_s = 0;  // never reached; else the run keeps no history
  }
}

/// Shows what is known of the structure itself: not of the tissue that stands for it, and a value that may be
/// worse elsewhere only where it is unsafe already.
void show(const Structure& s, const Sampled& sampled, StructureExposure& e) {
  if (s.whereabouts == Whereabouts::unlabelled) {
    e.distance_to_applicator_mm.reset();
    e.distance_to_active_mm.reset();
    e.distance_to_zone_mm.reset();
    e.distance_to_ice_mm.reset();
    return;
  }
  const auto shown = [&](const Extreme& x) { return x.at && (x.complete || e.verdict == Verdict::unsafe); };
  if (shown(sampled.peak)) e.peak_degC = sampled.peak.at;
  if (shown(sampled.lowest)) e.lowest_degC = sampled.lowest.at;
  if (shown(sampled.cem43)) e.cem43_min = sampled.cem43.at->value;
  if (shown(sampled.arrhenius)) e.arrhenius = sampled.arrhenius.at->value;
}

/// Limits of class `plan`: judged once, kept as notes.
void judge_plan(const std::vector<ExposureLimit>& limits, const ExposureFacts& facts, const Fields& f,
                const std::vector<SensorHistory>& read, const ExposureOptions& options,
                ExposureReport& report) {
  const bool protects = !facts.protections.empty();
  std::optional<double> dura_peak;
  for (const auto& e : report.exposures)
    if (e.structure == "dura" && e.peak_degC) dura_peak = e.peak_degC->value;
  std::optional<double> mismatch;
  bool has_sensor = false, has_sensor_reading = false, would_stop = false;
  for (const auto& p : facts.protections) {
    const auto* sensor = std::get_if<Thermocouple>(&p);
    if (!sensor) continue;
    has_sensor = true;
    const auto hot = sample_linear(f.peak, sensor->at_mm), cold = sample_linear(f.lowest, sensor->at_mm);
    if (dura_peak && hot) {
      const double off = *dura_peak - *hot;
      mismatch = std::min(mismatch.value_or(kInf), off);  // the sensor nearest to the hottest point serves
    }
    would_stop |= sensor->stop_above_degC && (!hot || *hot >= *sensor->stop_above_degC);
    would_stop |= sensor->stop_below_degC && (!cold || *cold <= *sensor->stop_below_degC);
  }
  // Of sensors that ended the run: how much further tissue went there.
  std::optional<double> overshoot;
  for (const SensorHistory& s : read) {
    if (!s.stopped_s) continue;
    double at_stop = options.rest_degC, most = 0;
    for (std::size_t n = 0; n < s.times_s.size(); ++n) {
      if (s.times_s[n] <= *s.stopped_s) at_stop = s.truth_degC[n];
      const double further =
          at_stop >= options.rest_degC ? s.truth_degC[n] - at_stop : at_stop - s.truth_degC[n];
      if (s.times_s[n] > *s.stopped_s) most = std::max(most, further);
    }
    overshoot = std::max(overshoot.value_or(0), most);
  }
  // What it reads, where the run has read it.
  for (const SensorHistory& s : read) {
    // The highest of many noisy readings says too much.
    if (!dura_peak || s.reading_degC.empty() || !s.name.starts_with("thermocouple")) continue;
    const double highest = *std::max_element(s.reading_degC.begin(), s.reading_degC.end());
    if (!has_sensor_reading || *dura_peak - highest < *mismatch) mismatch = *dura_peak - highest;
    has_sensor_reading = true;
  }
  for (const auto& limit : limits) {
    if (limit.structure != "plan") continue;
    if (limit.quantity == "sensor_mismatch_K" && !has_sensor) continue;
    if (limit.quantity == "overshoot_K" && !would_stop) continue;
    const auto judged =
        judge_classes({"plan"}, {limit}, facts, options, false, [&](const std::string& q) -> Known {
          if (q == "wall_defect_mm") return {facts.wall.defect_mm};
          if (q == "unprotected") return {protects ? 0.0 : 1.0};
          if (q == "sensor_mismatch_K") return {mismatch};
          if (q == "overshoot_K") return {overshoot};
          return {};
        });
    if (!judged || judged->verdict == Verdict::within_limits) continue;
    Verdict verdict = judged->verdict;
    std::string reason = judged->reason;
    if (limit.quantity == "wall_defect_mm" && !facts.wall.defect_mm) {
      // Only its own row can be too strict here: an open wall alone is caution.
      verdict = Verdict::caution;
      reason = "posterior wall not known (" + facts.wall.reason + "): taken as open";
    }
    report.notes_verdict = worst(report.notes_verdict, verdict);
    report.notes.push_back(fmt::format("{}: {}", to_string(verdict), reason));
  }
}

void note_the_run(const ThermalResult& thermal, const Fields& f, const ExposureFacts& facts,
                  ExposureReport& report) {
  report.notes.emplace_back("one run with nominal values (n = 1): no bound on the uncertainty is claimed");
  if (!f.usable) {
    report.notes_verdict = worst(report.notes_verdict, Verdict::unknown);
    report.notes.push_back("unknown: the thermal run is not usable (" + thermal.summary.message + ")");
    return;
  }
  if (!f.disturbed.computed()) return;
  if (f.disturbed.touches_box)
    report.notes.emplace_back(
        "heat or cold reaches the edge of the simulation's box: structures beyond are unknown");
  if (facts.unknown_tissue.empty()) return;
  const Grid& g = f.disturbed.level.grid;
  long cells = 0;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (f.disturbed.level(i, j, k) >= 0 &&
            sample_nearest(facts.unknown_tissue, g.to_world(i, j, k)).value_or(1))
          ++cells;
  if (cells == 0) return;
  report.notes_verdict = worst(report.notes_verdict, Verdict::unknown);
  report.notes.push_back(fmt::format("unknown: {:.2f} ml of the heated region is tissue that was not imaged",
                                     double(cells) * g.voxel_volume_mm3() * 1e-3));
}

}  // namespace

void ExposureOptions::validate() const {
  require(rest_degC > 30 && rest_degC < 40, "ExposureOptions.rest_degC", rest_degC,
          "must lie in (30, 40) degC");
  require(rest_tolerance_K > 0, "ExposureOptions.rest_tolerance_K", rest_tolerance_K, "must be > 0 K");
  require(wall_defect_mm >= 0, "ExposureOptions.wall_defect_mm", wall_defect_mm, "must be >= 0 mm");
  kill.validate();
}

LevelCheck check_level(const std::string& name, const std::vector<LevelConfirmation>& confirmed_by) {
  LevelCheck check;
  check.name = name;
  std::set<std::string> methods;
  for (const auto& c : confirmed_by)
    if (!c.method.empty()) methods.insert(c.method);
  if (name.empty()) {
    check.reason = "level not named";
    return check;
  }
  if (methods.empty()) {
    check.reason = "level " + name + " assumed: nobody confirmed it";
    return check;
  }
  check.confirmed = true;
  check.verdict = methods.size() == 1 ? Verdict::caution : Verdict::within_limits;
  check.reason = fmt::format("level {} confirmed by {}{}", name, fmt::join(methods, ", "),
                             methods.size() == 1 ? " only" : "");
  return check;
}

Verdict ExposureReport::exposure_verdict() const {
  if (exposures.empty()) return Verdict::unknown;
  Verdict v = notes_verdict;
  for (const auto& e : exposures) v = worst(v, e.verdict);
  return v;
}

Verdict ExposureReport::verdict() const { return worst(exposure_verdict(), level.verdict); }

std::vector<std::string> ExposureReport::reasons() const {
  std::vector<std::string> out;
  if (exposures.empty()) out.emplace_back("unknown: no structure was judged");
  for (const Verdict v : {Verdict::unsafe, Verdict::unknown, Verdict::caution}) {
    for (const auto& e : exposures)
      if (e.verdict == v) out.push_back(fmt::format("{} {}: {}", e.structure, to_string(v), e.reason));
    if (level.verdict == v) out.push_back(fmt::format("level {}: {}", to_string(v), level.reason));
  }
  out.insert(out.end(), notes.begin(), notes.end());
  return out;
}

ExposureReport worse_of(const ExposureReport& a, const ExposureReport& b, const std::string& name_of_b) {
  require(a.exposures.size() == b.exposures.size(), "worse_of", double(b.exposures.size()),
          "must be as many structures as in the other report");
  ExposureReport out = a;
  for (std::size_t n = 0; n < b.exposures.size(); ++n) {
    if (!(out.exposures[n].verdict < b.exposures[n].verdict)) continue;
    out.exposures[n] = b.exposures[n];
    out.exposures[n].reason = name_of_b + ": " + b.exposures[n].reason;
  }
  for (const std::string& note : b.notes)
    if (std::find(a.notes.begin(), a.notes.end(), note) == a.notes.end())
      out.notes.push_back(name_of_b + ": " + note);
  out.notes_verdict = worst(a.notes_verdict, b.notes_verdict);
  return out;
}

ExposureReport assess_exposure(const std::vector<Structure>& structures, const ThermalResult& thermal,
                               const std::vector<PlacedDevice>& applicators,
                               const std::vector<ExposureLimit>& limits, const ExposureFacts& facts,
                               const ExposureOptions& options) {
  options.validate();
  validate(limits, "limits");
  const Fields f = prepare(thermal, applicators, options);
  const Distances distances{RegionDistance(f.zone), RegionDistance(f.ice)};
  ExposureReport report;
  report.level = facts.level;
  report.exposures.resize(structures.size());
#pragma omp parallel for schedule(dynamic)
  for (std::size_t n = 0; n < structures.size(); ++n) {
    const Structure& s = structures[n];
    StructureExposure& e = report.exposures[n];
    e.structure = s.name;
    e.limit_class = s.limit_class;
    e.status = s.status;
    Sampled sampled;
    measure(s, f, distances, applicators, options, sampled, e);
    decide(s, f, limits, facts, options, thermal.summary.message, sampled, e);
    show(s, sampled, e);
  }
  judge_plan(limits, facts, f, thermal.sensors, options, report);
  note_the_run(thermal, f, facts, report);
  return report;
}

}  // namespace spinetherm
