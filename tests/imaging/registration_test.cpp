// SPDX-License-Identifier: Apache-2.0
#include "imaging/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "imaging/core/error.h"
#include "tests/imaging/toy_spine.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// A trunk with a toy spine, an aorta and a kidney; the same tissue has other values in CT and in MR, and
/// the order of the values differs too.
enum Tissue { air, fat, muscle, bone, disc, canal, vessel, organ };

Tissue tissue_at(const ToySpine& spine, const Eigen::Vector3d& point) {
  // Vertebrae and trunk widen towards the pelvis, by a fifth from L1 to L5: no level looks like the next.
  const double width = 1 - 0.0014 * point.z();
  const Eigen::Vector3d s(point.x() / width, point.y() / width, point.z());
  if (spine.in_canal(s)) return canal;
  if (spine.vertebra_at(s) >= 0) return bone;
  if (std::pow(s.x() / 21, 2) + std::pow((s.y() + 24) / 15, 2) < 1) return disc;
  if (std::hypot(s.x() - 12, s.y() + 50) < 9) return vessel;
  if ((s - Eigen::Vector3d(48, -18, -20)).cwiseQuotient(Eigen::Vector3d(16, 20, 35)).norm() < 1) return organ;
  if ((s - Eigen::Vector3d(-50, -20, -55)).cwiseQuotient(Eigen::Vector3d(15, 20, 25)).norm() < 1)
    return organ;
  const double r = std::pow(s.x() / 85, 2) + std::pow((s.y() + 15) / 62, 2);
  return r < 0.72 ? muscle : r < 1 ? fat : air;
}

Image scan(const ToySpine& spine, const Grid& grid, Modality modality, double noise, std::uint64_t seed) {
  static const std::map<Tissue, double> ct = {{air, -1000}, {fat, -95},  {muscle, 55}, {bone, 300},
                                              {disc, 90},   {canal, 20}, {vessel, 45}, {organ, 35}};
  static const std::map<Tissue, double> mr = {{air, 5},    {fat, 700},   {muscle, 200}, {bone, 420},
                                              {disc, 300}, {canal, 900}, {vessel, 30},  {organ, 520}};
  Image image;
  image.modality = modality;
  image.volume = Volume<float>(grid);
  auto rng = trial_rng(seed, 0);
  std::normal_distribution<double> normal(0, noise);
  const Rigid spine_from_patient = inverse(spine.patient_from_spine);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Eigen::Vector3d s = spine_from_patient * grid.to_world(i, j, k);
        const Tissue t = tissue_at(spine, s);
        // The surface coil of the MR: signal falls off to the front.
        const double coil = is_mr(modality) ? 1 + 0.003 * s.y() : 1;
        image.volume(i, j, k) = float((is_mr(modality) ? mr : ct).at(t) * coil + normal(rng));
      }
  return image;
}

struct Pair {
  Image cbct, mri;
  Rigid mri_from_cbct;
  std::vector<Eigen::Vector3d> in_cbct, in_mri;
};

Pair make_pair(double shift_mm, double angle_deg) {
  Pair p;
  ToySpine spine;
  spine.levels = {"L1", "L2", "L3", "L4", "L5"};
  spine.patient_from_spine = {Eigen::Quaterniond::Identity(), {5, -20, 320}};
  p.mri_from_cbct = {Eigen::Quaterniond(Eigen::AngleAxisd(angle_deg * 3.14159265358979 / 180,
                                                          Eigen::Vector3d(0.6, 0.3, 0.75).normalized())),
                     Eigen::Vector3d(0.5, -0.6, 0.62).normalized() * shift_mm};
  // Turn about the middle of the spine, not about the far origin.
  const Eigen::Vector3d middle = spine.patient_from_spine * Eigen::Vector3d(0, 0, -64);
  p.mri_from_cbct.translation_mm += middle - p.mri_from_cbct.rotation * middle;
  p.cbct = scan(spine, box_grid({-90, -100, 190}, {100, 50, 325}, 2), Modality::cbct, 60, 1);
  const ToySpine in_mri{spine.levels, p.mri_from_cbct * spine.patient_from_spine};
  Grid sagittal;  // slices of 4 mm, rows to the feet: axes P, I, L
  sagittal.size = {75, 85, 50};
  sagittal.spacing_mm = {2, 2, 4};
  sagittal.direction << 0, 0, 1, 1, 0, 0, 0, -1, 0;
  sagittal.origin_mm = Eigen::Vector3d(-95, -95, 340) + Eigen::Vector3d::Constant(shift_mm / 4);
  p.mri = scan(in_mri, sagittal, Modality::mr_t2, 25, 2);
  for (double z = -96; z <= -32; z += 32)
    for (const double x : {-20.0, 20.0})
      for (const double y : {-35.0, 15.0}) {
        p.in_cbct.push_back(spine.patient_from_spine * Eigen::Vector3d(x, y, z));
        p.in_mri.push_back(p.mri_from_cbct * p.in_cbct.back());
      }
  return p;
}

TEST(Registration, ResultBeginsAsNotRunAndNotUsable) {
  const RegistrationResult r;
  EXPECT_EQ(r.summary.termination, Termination::not_run);
  EXPECT_FALSE(r.usable());
  EXPECT_FALSE(r.quality.mutual_information.has_value());
}

TEST(Registration, FindsAKnownMotionBetweenCbctAndMri) {
  const Pair p = make_pair(9, 3);
  EXPECT_GT(landmark_error_mm({}, p.in_cbct, p.in_mri), 5);
  const RegistrationResult r = register_rigid(p.cbct, p.mri);
  const double tre_mm = landmark_error_mm(r.moving_from_fixed, p.in_cbct, p.in_mri);
  RecordProperty("tre_mm", std::to_string(tre_mm));
  RecordProperty("wall_time_s", std::to_string(r.summary.wall_time_s));
  EXPECT_LT(tre_mm, 1.0);
  EXPECT_EQ(r.verdict, RegistrationVerdict::good) << ::testing::PrintToString(r.reasons);
  EXPECT_TRUE(r.usable());
  EXPECT_LT(*r.quality.inverse_consistency_mm, 2.0);
  EXPECT_LT(std::max(*r.quality.level_up, *r.quality.level_down), 0.95 * *r.quality.mutual_information);
  EXPECT_GT(r.summary.iterations[0], 1);
  // Both directions belong together.
  const Eigen::Vector3d x(10, -30, 250);
  EXPECT_LT((r.fixed_from_moving * (r.moving_from_fixed * x) - x).norm(), 1e-9);
}

TEST(Registration, TheSameNumbersEveryRun) {
  const Pair p = make_pair(4, 1);
  RigidOptions options;
  options.check_inverse = false;
  options.working_spacing_mm = 4;
  options.max_iterations = 15;
  const Rigid first = register_rigid(p.cbct, p.mri, options).moving_from_fixed;
  const Rigid second = register_rigid(p.cbct, p.mri, options).moving_from_fixed;
  EXPECT_TRUE(first == second);
  options.seed = 2;
  EXPECT_FALSE(register_rigid(p.cbct, p.mri, options).moving_from_fixed == first);
}

TEST(Registration, RegionOfInterestAndOutsideOfFieldAreRespected) {
  Pair p = make_pair(5, 2);
  // A cone-beam cylinder: what lies outside it is one constant, which must not be taken for air.
  const Grid& g = p.cbct.volume.grid;
  const Eigen::Vector3d axis = g.centre_mm();
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k) - axis;
        if (std::hypot(x.x(), x.y()) > 65) p.cbct.volume(i, j, k) = -1024;
      }
  RigidOptions options;
  options.centre_mm = Eigen::Vector3d(5, -30, 256);
  options.radius_mm = 55;
  options.check_inverse = false;
  const RegistrationResult r = register_rigid(p.cbct, p.mri, options);
  EXPECT_LT(landmark_error_mm(r.moving_from_fixed, p.in_cbct, p.in_mri), 1.5);
  EXPECT_TRUE(r.usable()) << ::testing::PrintToString(r.reasons);
}

TEST(Registration, ImagesThatDoNotMeetAreRefusedNotThrown) {
  Pair p = make_pair(0, 0);
  p.mri.volume.grid.origin_mm += Eigen::Vector3d(0, 0, 500);
  RigidOptions options;
  options.working_spacing_mm = 4;
  options.check_inverse = false;
  RegistrationResult r = register_rigid(p.cbct, p.mri, options);
  EXPECT_FALSE(r.usable());
  EXPECT_EQ(r.summary.termination, Termination::diverged);
  EXPECT_THAT(r.reasons, Contains(HasSubstr("do not overlap")));
  // A corner in common: ITK may search, and the result must not be used.
  p.mri.volume.grid.origin_mm -= Eigen::Vector3d(0, 0, 500);
  p.mri.volume.grid.origin_mm += Eigen::Vector3d(110, 60, 60);
  r = register_rigid(p.cbct, p.mri, options);
  EXPECT_FALSE(r.usable()) << "overlap " << r.quality.overlap.value_or(-1);
}

TEST(Registration, NoiseAgainstNoiseIsRefused) {
  Pair p = make_pair(0, 0);
  auto rng = trial_rng(3, 0);
  std::normal_distribution<float> normal(0, 100);
  for (float& v : p.mri.volume.values) v = normal(rng);
  RigidOptions options;
  options.working_spacing_mm = 4;
  options.check_inverse = false;
  const RegistrationResult r = register_rigid(p.cbct, p.mri, options);
  EXPECT_FALSE(r.usable());
  EXPECT_THAT(r.reasons, Contains(HasSubstr("nothing in common")));
}

TEST(Registration, CanBeCancelled) {
  const Pair p = make_pair(5, 2);
  std::stop_source stop;
  int calls = 0;
  Progress progress;
  progress.stop = stop.get_token();
  progress.report = [&](double, std::string_view) {
    if (++calls == 3) stop.request_stop();
  };
  const RegistrationResult r = register_rigid(p.cbct, p.mri, {}, progress);
  EXPECT_EQ(r.summary.termination, Termination::cancelled);
  EXPECT_FALSE(r.usable());
  EXPECT_EQ(calls, 3);
}

TEST(Registration, OptionsAreChecked) {
  const Pair p = make_pair(0, 0);
  RigidOptions options;
  options.sampling_fraction = 0;
  EXPECT_THROW(register_rigid(p.cbct, p.mri, options), ConfigError);
  EXPECT_THROW(register_rigid(Image{}, p.mri), ConfigError);
  EXPECT_THROW(landmark_error_mm({}, {{0, 0, 0}}, {}), ConfigError);
}

TEST(MutualInformation, IsEntropyForACopyAndNothingForStrangers) {
  Volume<float> a(box_grid({0, 0, 0}, {40, 40, 40}, 1));
  auto rng = trial_rng(4, 0);
  std::uniform_real_distribution<float> uniform(0, 1);
  for (float& v : a.values) v = uniform(rng);
  Volume<float> b = a;
  for (float& v : b.values) v = uniform(rng);
  // Eight equal bins: the entropy of a uniform value is log 8.
  EXPECT_NEAR(mutual_information(a, a, {}, 8)->value_nat, std::log(8), 0.01);
  EXPECT_NEAR(mutual_information(a, b, {}, 8)->value_nat, 0, 0.002);
  EXPECT_NEAR(mutual_information(a, a, {Eigen::Quaterniond::Identity(), {20, 0, 0}}, 8)->overlap, 0.51, 0.03);
  EXPECT_FALSE(mutual_information(a, a, {Eigen::Quaterniond::Identity(), {400, 0, 0}}, 8).has_value());
}

}  // namespace
}  // namespace spinetherm
