// SPDX-License-Identifier: Apache-2.0
#include "thermal/checkpoint.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "tests/thermal/radiation_fixture.h"
#include "thermal/bioheat_solver.h"
#include "thermal/error_estimate.h"
#include "thermal/fine_patch.h"
#include "thermal/fingerprint.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

template <class WriteTo>
Bytes bytes_of(const WriteTo& write_to) {
  Bytes bytes;
  write_to([&](std::span<const std::byte> part) { bytes.insert(bytes.end(), part.begin(), part.end()); });
  return bytes;
}

/// A run with what a checkpoint must hold.
struct RunCase {
  std::string name;
  ThermalProblem problem;
  BioheatOptions options = {};
};
void PrintTo(const RunCase& run, std::ostream* out) { *out << run.name; }

OutputFields all_fields(bool electric) {
  return {true, true, true, true, true, electric, electric, true, true, true};
}

/// Conducts, bleeds less where it is cooked, dries and boils.
ThermalProblem conducting(std::array<int, 3> size) {
  UniformTissue t;
  t.perfusion_per_s = 0.003;
  ThermalProblem p = uniform_problem(t, size, 1);
  Tissue& tissue = p.tissue_map.tissues[0];
  tissue.conductivity_per_K = 0.001;
  tissue.electrical_S_per_m = 0.2;
  tissue.electrical_per_K = 0.015;
  tissue.drying = Drying{100, 105, 0.01};
  tissue.damage = Arrhenius{7.39e39, 2.577e5};
  tissue.perfusion_rule.stops_at_arrhenius = 1;
  p.tissue_map.tissues.push_back(tissue);
  p.tissue_map.tissues[1].perfusion_rule = {};
  p.tissue_map.tissues[1].perfusion_rule.falls_with_arrhenius = true;
  p.tissue_map.tissues[1].boiling = Boiling{1.5e6, 99, 101};
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = size[0] / 2; i < size[0]; ++i) p.tissue_map.labels(i, j, k) = 1;
  p.fields = all_fields(true);
  return p;
}

RunCase held_temperature() {
  ThermalProblem p = conducting({20, 18, 18});
  ElectrodesSource s;
  s.electrodes = {{{Sphere{{8.3, 8.6, 8.4}, 2}}, 10, 20.0}};
  s.control = HoldTemperature{70, {8.3, 12.1, 8.4}, 20};
  ElectrodesSource second = s;
  second.control = HoldTemperature{80, {8.3, 12.1, 8.4}, 20};
  p.sources = {{s, {{0, 60}}}, {second, {{60, 90}}}};
  p.duration_s = 90;
  p.until_dose_settled = true;
  p.sample = {{{8.3, 12.1, 8.4}, {12, 10.5, 7}}, {0, 30, 90, 120}};
  return {"held temperature", p};
}

RunCase pulsed_by_impedance() {
  ThermalProblem p = conducting({20, 20, 20});
  ElectrodesSource s;
  s.electrodes = {{{Sphere{{9.3, 9.6, 9.4}, 2}}, 10}};
  s.control = ConstantPower{14};
  s.roll_off = RollOff{0.3, 12};
  p.sources = {{s}};
  p.duration_s = 80;
  return {"pulsed by impedance", p, {.fourth_order = false}};
}

RunCase two_channels() {
  ThermalProblem p = conducting({31, 22, 22});
  ElectrodesSource s;
  s.electrodes = {{{Sphere{{9.3, 10.6, 10.4}, 1.5}}, 10}, {{Sphere{{21.3, 10.2, 10.7}, 1.5}}, 10}};
  s.channels = {{{0}}, {{1}}};
  s.channels[0].control = HoldTemperature{70, {9.3, 13.1, 10.4}, 15};
  s.channels[1].control = ConstantPower{4};
  s.channels[1].roll_off = RollOff{0.4, 5};
  p.sources = {{s}};
  p.duration_s = 60;
  return {"two channels", p};
}

RunCase frozen_twice() {
  ThermalProblem p;
  Grid grid;
  grid.size = {24, 24, 28};
  grid.origin_mm = {-11.5, -11.5, -13.5};
  p.tissue_map.labels = Volume<std::uint8_t>(grid);
  Tissue t = soft_tissue({});
  t.perfusion_per_s = 0.003;
  t.perfusion_rule.returns_after_freezing = true;
  t.frozen = Frozen{1000, 2000, 2, 250e3, -8, -0.6};
  p.tissue_map.tissues = {t};
  CryoprobeSource s;
  s.entry_mm = {0, 0, -40};
  s.tip_mm = {0, 0, 8};
  s.diameter_mm = 1.5;
  s.active_to_tip_mm = 15;
  s.gas_degC = -155;
  s.film_W_per_m2_K = 8500;
  s.max_W_per_m = 900;
  s.ramp_s = 20;
  CryoprobeSource thaw = s, beside = s;
  thaw.gas_degC = 40;
  beside.entry_mm[0] = beside.tip_mm[0] = 7;
  p.sources = {{s, {{0, 90}, {150, 210}}}, {thaw, {{90, 120}}}, {beside, {{0, 90}}}};
  p.duration_s = 240;
  p.early_ends = {{{0, 90}, {4, 0, 0}, 0.0, std::nullopt}};
  p.sample = {{{4, 0, 0}, {0.2, 0, 0}}, {20, 100, 150}};
  p.fields = all_fields(false);
  return {"frozen twice", p};
}

RunCase several_sources() {
  ThermalProblem p = uniform_problem({}, {30, 24, 20}, 1);
  p.tissue_map.tissues[0].perfusion_per_s = 0.002;
  p.tissue_map.tissues[0].metabolic_W_per_m3 = 0;
  p.sources = {{GaussianSource{2, 2, {20, 12, 10}}, {}, {{0, 0}, {10, 1}, {30, 0.3}, {60, 1}}},
               {BoxSource{1.5, {8, 8, 8}, {2, 2, 2}}, {{5, 25}, {40, 60}}},
               {FixedTemperatureSource{{Sphere{{13, 16, 10}, 2}}, {{0, 37}, {20, 75}, {45, 60}}, true},
                {{0, 30}, {35, 50}}},
               {FixedTemperatureSource{{Sphere{{22, 5, 10}, 2}}, {{0, 60}}, false}, {{0, 20}}}};
  p.duration_s = 60;
  p.until_dose_settled = true;
  p.sample = {{{13, 16, 10}, {20, 12, 11}}, {10, 60}};
  p.fields = all_fields(false);
  BioheatOptions o;
  o.double_precision = true;
  o.step_error_K = 2e-3;
  return {"several sources", p, o};
}

RunCase microwaves_and_light() {
  ThermalProblem p = irradiated({26, 26, 28}, 1);
  AntennaSource antenna = antenna_at_origin(), stronger = antenna;
  antenna.tip_mm.x() = antenna.entry_mm.x() = stronger.tip_mm.x() = stronger.entry_mm.x() = -5;
  antenna.cooled_degC.reset();
  stronger.cooled_degC.reset();
  antenna.power_W = 15;
  stronger.power_W = 25;
  LightSource light = light_at_origin();
  for (Eigen::Vector3d* x : {&light.a_mm, &light.b_mm, &*light.entry_mm, &*light.tip_mm}) x->x() = 5;
  p.sources = {{antenna, {{0, 20}}}, {stronger, {{20, 40}}}, {light, {{10, 50}}}};
  p.duration_s = 60;
  p.patch = refined(p.tissue_map, patch_grid(p.grid(), {-8, -4, -7}, {8, 4, 6}, 2));
  VirtualSensor sensor;
  sensor.at_mm = {0.3, 0.2, 0.1};
  sensor.lag_s = 4;
  sensor.delay_s = 3;
  sensor.noise_K = 0.5;
  sensor.period_s = 2;
  sensor.stop_above_degC = 60;
  p.sensors = {sensor};
  p.fields = all_fields(false);
  p.fields.power_density = true;
  return {"microwaves and light", p, {.fourth_order = false}};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

void expect_same(const ThermalResult& a, const ThermalResult& b) {
  ASSERT_TRUE(a.summary.usable()) << a.summary.message;
  EXPECT_EQ(a.summary.message, b.summary.message);
  EXPECT_EQ(a.summary.steps, b.summary.steps);
  EXPECT_EQ(a.summary.stages, b.summary.stages);
  EXPECT_EQ(a.summary.field_solves, b.summary.field_solves);
  EXPECT_EQ(a.summary.simulated_s, b.summary.simulated_s);
  for (const auto field :
       {&ThermalResult::temperature, &ThermalResult::peak_temperature, &ThermalResult::lowest_temperature,
        &ThermalResult::cem43, &ThermalResult::arrhenius, &ThermalResult::potential,
        &ThermalResult::power_density, &ThermalResult::freezes, &ThermalResult::lowest_twice,
        &ThermalResult::cell_death, &ThermalResult::peak_time_s, &ThermalResult::lowest_time_s})
    EXPECT_TRUE(same_bits((a.*field).values, (b.*field).values));
  ASSERT_EQ(a.samples.size(), b.samples.size());
  for (std::size_t n = 0; n < a.samples.size(); ++n) {
    EXPECT_EQ(a.samples[n].T_degC, b.samples[n].T_degC);
    EXPECT_EQ(a.samples[n].cem43_min, b.samples[n].cem43_min);
    EXPECT_EQ(a.samples[n].arrhenius, b.samples[n].arrhenius);
  }
  for (const auto& [key, zone] : a.zones) EXPECT_EQ(zone.volume_ml, b.zones.at(key).volume_ml) << key;
  EXPECT_EQ(a.energy.in_J, b.energy.in_J);
  EXPECT_EQ(a.energy.stored_J, b.energy.stored_J);
  EXPECT_EQ(a.energy.out_J, b.energy.out_J);
  ASSERT_EQ(a.electrical.has_value(), b.electrical.has_value());
  if (a.electrical) {
    EXPECT_TRUE(same_bits(a.electrical->times_s, b.electrical->times_s));
    EXPECT_TRUE(same_bits(a.electrical->resistance_ohm, b.electrical->resistance_ohm));
    EXPECT_TRUE(same_bits(a.electrical->power_W, b.electrical->power_W));
    EXPECT_TRUE(same_bits(a.electrical->current_A, b.electrical->current_A));
    EXPECT_TRUE(same_bits(a.electrical->voltage_V, b.electrical->voltage_V));
    ASSERT_EQ(a.electrical->channels.size(), b.electrical->channels.size());
    for (std::size_t n = 0; n < a.electrical->channels.size(); ++n) {
      EXPECT_TRUE(same_bits(a.electrical->channels[n].power_W, b.electrical->channels[n].power_W));
      EXPECT_TRUE(
          same_bits(a.electrical->channels[n].resistance_ohm, b.electrical->channels[n].resistance_ohm));
    }
  }
  ASSERT_EQ(a.radiation.has_value(), b.radiation.has_value());
  if (a.radiation) {
    EXPECT_TRUE(same_bits(a.radiation->times_s, b.radiation->times_s));
    for (std::size_t n = 0; n < a.radiation->sources.size(); ++n) {
      EXPECT_TRUE(same_bits(a.radiation->sources[n].power_W, b.radiation->sources[n].power_W));
      EXPECT_TRUE(same_bits(a.radiation->sources[n].reflected_W, b.radiation->sources[n].reflected_W));
      EXPECT_TRUE(same_bits(a.radiation->sources[n].absorbed_W, b.radiation->sources[n].absorbed_W));
    }
  }
  ASSERT_EQ(a.cryo.has_value(), b.cryo.has_value());
  if (a.cryo) {
    EXPECT_TRUE(same_bits(a.cryo->times_s, b.cryo->times_s));
    ASSERT_EQ(a.cryo->probes.size(), b.cryo->probes.size());
    for (std::size_t n = 0; n < a.cryo->probes.size(); ++n) {
      EXPECT_TRUE(same_bits(a.cryo->probes[n].extraction_W, b.cryo->probes[n].extraction_W));
      EXPECT_TRUE(same_bits(a.cryo->probes[n].gas_degC, b.cryo->probes[n].gas_degC));
      EXPECT_TRUE(same_bits(a.cryo->probes[n].wall_degC, b.cryo->probes[n].wall_degC));
      EXPECT_EQ(a.cryo->probes[n].free_from_s, b.cryo->probes[n].free_from_s);
    }
  }
  ASSERT_EQ(a.sensors.size(), b.sensors.size());
  for (std::size_t n = 0; n < a.sensors.size(); ++n) {
    EXPECT_TRUE(same_bits(a.sensors[n].reading_degC, b.sensors[n].reading_degC));
    EXPECT_EQ(a.sensors[n].stopped_s, b.sensors[n].stopped_s);
  }
  ASSERT_EQ(a.ended_early.size(), b.ended_early.size());
  for (std::size_t n = 0; n < a.ended_early.size(); ++n)
    EXPECT_EQ(a.ended_early[n].at_s, b.ended_early[n].at_s);
}

class CheckpointTest : public ::testing::TestWithParam<RunCase> {
 protected:
  BioheatOptions with_threads(int threads) const {
    BioheatOptions o = GetParam().options;
    o.threads = threads;
    return o;
  }
  const ThermalProblem& problem() const { return GetParam().problem; }
};

TEST_P(CheckpointTest, ResumedRunEndsAsTheUninterruptedOne) {
  const ThermalResult whole = solve(problem(), with_threads(2));
  ASSERT_TRUE(whole.summary.usable()) << whole.summary.message;
  std::vector<Bytes> saved;
  Checkpointing saving;
  saving.period_s = 0;
  saving.save = [&](const auto& write_to) { saved.push_back(bytes_of(write_to)); };
  expect_same(solve(problem(), with_threads(1), {}, saving), whole);
  ASSERT_EQ(saved.size(), std::size_t(whole.summary.steps) + 1);
  const std::size_t stride = saved.size() / 3 + 1;
  int threads = 1;
  for (std::size_t n = 0; n < saved.size(); n += stride) {
    SCOPED_TRACE(testing::Message() << "after step " << n + 1 << " of " << whole.summary.steps);
    Checkpointing from;
    from.resume_from = saved[n];
    expect_same(solve(problem(), with_threads(threads), {}, from), whole);
    threads = threads % 3 + 1;
  }
  Checkpointing end;
  end.resume_from = saved.back();
  expect_same(solve(problem(), with_threads(1), {}, end), whole);
}

/// Asked to stop at every whole second, where the potential may be about to be solved for.
TEST_P(CheckpointTest, CancelledRunGoesOnWhereItWas) {
  const ThermalResult whole = solve(problem(), with_threads(2));
  Bytes saved;
  ThermalResult result;
  int last_s = 0, cancelled = 0, in_a_solve = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    std::stop_source stop;
    Progress progress;
    progress.stop = stop.get_token();
    progress.report = [&](double, std::string_view what) {
      const int at_s = std::atoi(std::string(what).c_str());
      if (at_s <= last_s) return;
      last_s = at_s;
      stop.request_stop();
    };
    Checkpointing checkpointing;
    checkpointing.period_s = 1e9;
    checkpointing.resume_from = saved;
    checkpointing.save = [&](const auto& write_to) { saved = bytes_of(write_to); };
    result = solve(problem(), with_threads(1 + turn % 3), progress, checkpointing);
    if (result.summary.termination != Termination::cancelled) break;
    ++cancelled;
    if (result.summary.message.find(" field: ") != std::string::npos) ++in_a_solve;
  }
  EXPECT_GT(cancelled, 20);
  if (whole.summary.field_solves > 10) {
    EXPECT_GT(in_a_solve, 0);
  }
  expect_same(result, whole);
}

/// Cancelled wherever it is at the time, again and again.
TEST_P(CheckpointTest, StopAndGo) {
  using namespace std::chrono_literals;
  const ThermalResult whole = solve(problem(), with_threads(2));
  auto pause = std::chrono::duration<double>(whole.summary.wall_time_s / 9);
  Bytes saved;
  ThermalResult result;
  int cancelled = 0;
  for (int turn = 0; turn < 60; ++turn) {
    std::stop_source stop;
    Progress progress;
    progress.stop = stop.get_token();
    std::jthread stopper([&](const std::stop_token& done) {
      const auto end = std::chrono::steady_clock::now() + pause * (1 + turn / 10);
      while (!done.stop_requested() && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(1ms);
      stop.request_stop();
    });
    Checkpointing checkpointing;
    checkpointing.period_s = 1e9;
    checkpointing.resume_from = saved;
    checkpointing.save = [&](const auto& write_to) { saved = bytes_of(write_to); };
    result = solve(problem(), with_threads(1 + turn % 3), progress, checkpointing);
    if (result.summary.termination == Termination::cancelled) {
      ++cancelled;
      continue;
    }
    if (cancelled > 0) break;
    pause /= 4;  // the first run was held up
  }
  EXPECT_GE(cancelled, 1);
  expect_same(result, whole);
}

/// The same with finer cells around the electrode.
RunCase in_fine_patch() {
  RunCase run = held_temperature();
  run.name = "in fine patch";
  ThermalProblem& p = run.problem;
  p.patch = refined(p.tissue_map, patch_grid(p.grid(), {4, 5, 5}, {12, 12, 12}, 2));
  return run;
}

/// The same in a window with larger cells around it.
RunCase in_far_field() {
  RunCase run = in_fine_patch();
  run.name = "in far field";
  ThermalProblem p = conducting({44, 40, 42});
  p.sources = run.problem.sources;
  p.duration_s = 25;
  p.patch = refined(p.tissue_map, patch_grid(p.grid(), {15, 15, 15}, {23, 22, 22}, 2));
  for (std::size_t n = 0; n < p.sources.size(); ++n) {
    const Eigen::Vector3d off(11, 10, 10);
    auto& set = std::get<ElectrodesSource>(p.sources[n].what);
    std::get<Sphere>(set.electrodes[0].region.shape).centre_mm += off;
    std::get<HoldTemperature>(set.control).sensor_mm += off;
    p.sources[n].active_s = {{10.0 * double(n), 10.0 * double(n + 1)}};
  }
  run.problem = p;
  run.options.fourth_order = false;
  run.options.coarse_far_field = true;
  return run;
}

RunCase in_far_field_without_patch() {
  RunCase run = in_far_field();
  run.name = "in far field without patch";
  run.problem.patch.reset();
  return run;
}

/// On until the window has taken over from the patch, and the far cells from the window.
RunCase in_far_field_to_the_end() {
  RunCase run = in_far_field();
  run.name = "in far field to the end";
  run.problem.duration_s = 20;
  run.problem.until_dose_settled = true;
  run.problem.fields.cell_death = false;
  return run;
}

INSTANTIATE_TEST_SUITE_P(Runs, CheckpointTest,
                         testing::Values(held_temperature(), pulsed_by_impedance(), two_channels(),
                                         frozen_twice(), several_sources(), in_fine_patch(), in_far_field(),
                                         in_far_field_without_patch(), in_far_field_to_the_end(),
                                         microwaves_and_light()),
                         [](const auto& each) {
                           std::string name = each.param.name;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

/// One in the middle of a run.
Bytes checkpoint_of(const ThermalProblem& problem, const BioheatOptions& options) {
  std::vector<Bytes> saved;
  Checkpointing saving;
  saving.period_s = 0;
  saving.save = [&](const auto& write_to) { saved.push_back(bytes_of(write_to)); };
  solve(problem, options, {}, saving);
  return saved[saved.size() / 2];
}
std::string refusal(const ThermalProblem& problem, const BioheatOptions& options, const Bytes& from) {
  Checkpointing checkpointing;
  checkpointing.resume_from = from;
  try {
    solve(problem, options, {}, checkpointing);
  } catch (const CheckpointError& e) {
    return e.what();
  }
  return "";
}
RunCase small() {
  RunCase run = several_sources();
  run.problem.until_dose_settled = false;
  run.problem.duration_s = 20;
  run.problem.sample.times_s = {10};
  run.problem.sources.resize(2);
  return run;
}

TEST(Checkpoint, DamagedIsRefused) {
  const RunCase run = small();
  const Bytes whole = checkpoint_of(run.problem, run.options);
  ASSERT_EQ(refusal(run.problem, run.options, whole), "");
  for (std::size_t n = 1; n < whole.size(); n += 1 + whole.size() / 997)
    EXPECT_THROW(require_whole(std::span(whole).first(n)), CheckpointError) << n;
  EXPECT_THROW(require_whole({}), CheckpointError);
  for (std::size_t n = 0; n < whole.size(); n += 1 + whole.size() / 997) {
    Bytes flipped = whole;
    flipped[n] ^= std::byte(1 << (n % 8));
    EXPECT_THROW(require_whole(flipped), CheckpointError) << n;
  }
  Bytes flipped = whole;
  flipped[whole.size() / 2] ^= std::byte(4);
  EXPECT_THAT(refusal(run.problem, run.options, flipped), HasSubstr("the checkpoint is damaged"));
  EXPECT_THAT(refusal(run.problem, run.options, Bytes(100)), HasSubstr("no checkpoint"));
  Bytes longer = whole;
  longer.resize(whole.size() + 8);
  EXPECT_THAT(refusal(run.problem, run.options, longer), HasSubstr("the checkpoint is damaged"));
}

/// Whole, but shorter inside than the state is: as one from another version of the program.
TEST(Checkpoint, OfAnotherLayoutIsRefused) {
  const RunCase run = small();
  const Bytes whole = checkpoint_of(run.problem, run.options);
  for (const std::size_t size : {std::size_t(16), std::size_t(24), whole.size() / 2, whole.size() - 16}) {
    const Bytes shorter = bytes_of([&](const Archive::Sink& to) {
      const auto state = [&](Archive& archive) {
        for (std::size_t n = 16; n < size; ++n) {
          std::byte b = whole[n];
          archive(b);
        }
      };
      write_checkpoint(fingerprint(run.problem, run.options), state, to);
    });
    EXPECT_THAT(refusal(run.problem, run.options, shorter), HasSubstr("damaged")) << size;
  }
}

TEST(Checkpoint, OfAnotherRunIsRefused) {
  const RunCase run = small();
  const Bytes saved = checkpoint_of(run.problem, run.options);
  const auto expect_refused = [&](auto change) {
    RunCase other = run;
    change(other);
    EXPECT_THAT(refusal(other.problem, other.options, saved), HasSubstr("of another problem"));
  };
  expect_refused([](RunCase& r) { r.problem.tissue_map.tissues[0].perfusion_per_s *= 1.0001; });
  expect_refused([](RunCase& r) { r.problem.tissue_map.tissues[0].perfusion_rule.stops_above_degC = 60; });
  expect_refused([](RunCase& r) { r.problem.sources[0].scale[1][1] = 0.9; });
  expect_refused([](RunCase& r) { std::get<BoxSource>(r.problem.sources[1].what).centre_mm[2] += 1e-9; });
  expect_refused([](RunCase& r) { r.problem.sources[1].active_s[0][1] = 24; });
  expect_refused([](RunCase& r) { r.problem.sources.pop_back(); });
  expect_refused([](RunCase& r) { r.problem.duration_s += 1; });
  expect_refused([](RunCase& r) { r.problem.boundary[y_max].kind = BoundaryKind::insulated; });
  expect_refused([](RunCase& r) { r.problem.fields.cell_death = false; });
  expect_refused([](RunCase& r) { r.problem.sample.points_mm[0][0] += 1; });
  expect_refused([](RunCase& r) { r.problem.tissue_map.labels.grid.origin_mm[0] += 0.5; });
  expect_refused([](RunCase& r) { r.options.step_error_K *= 2; });
  expect_refused([](RunCase& r) { r.options.double_precision = false; });
  RunCase threads = run;
  threads.options.threads = 3;
  EXPECT_EQ(refusal(threads.problem, threads.options, saved), "");
}

TEST(Checkpoint, OfAnElectricRunIsSmallerThanItsFields) {
  const RunCase run = pulsed_by_impedance();
  const std::size_t cells = run.problem.grid().count();
  EXPECT_LT(checkpoint_of(run.problem, run.options).size(), 100 * cells);
}

TEST(Checkpoint, NothingIsSavedBeforeTheFirstStepOrInAShortRun) {
  const RunCase run = small();
  int saves = 0;
  Checkpointing saving;
  saving.save = [&](const auto&) { ++saves; };
  EXPECT_TRUE(solve(run.problem, run.options, {}, saving).summary.usable());
  EXPECT_EQ(saves, 0);
  std::stop_source stop;
  stop.request_stop();
  Progress progress;
  progress.stop = stop.get_token();
  EXPECT_EQ(solve(run.problem, run.options, progress, saving).summary.termination, Termination::cancelled);
  EXPECT_EQ(saves, 0);
}

}  // namespace
}  // namespace spinetherm
