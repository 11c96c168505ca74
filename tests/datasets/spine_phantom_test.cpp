// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_phantom.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

SpinePhantomOptions small() {
  SpinePhantomOptions o;
  o.levels = {"L3"};
  o.spine.spread = 0;
  o.spacing_mm = 2;
  o.supersample = 2;
  return o;
}
StructureValue value(const char* name) { return *structure_value(name); }

/// Mean of an image over the voxels of a label whose neighbours, `reach` voxels in the plane of its first two
/// axes, have it too.
std::map<StructureValue, double> interior_means(const Volume<float>& image,
                                                const Volume<StructureValue>& labels, int reach) {
  const auto& size = labels.grid.size;
  std::map<StructureValue, std::pair<double, int>> sums;
  for (int k = 0; k < size[2]; ++k)
    for (int j = reach; j < size[1] - reach; ++j)
      for (int i = reach; i < size[0] - reach; ++i) {
        bool same = true;
        for (int b = -reach; b <= reach && same; ++b)
          for (int a = -reach; a <= reach && same; ++a) same = labels(i + a, j + b, k) == labels(i, j, k);
        if (!same) continue;
        auto& [sum, count] = sums[labels(i, j, k)];
        sum += image(i, j, k);
        ++count;
      }
  std::map<StructureValue, double> means;
  for (const auto& [label, sum] : sums)
    if (sum.second >= 20) means[label] = sum.first / sum.second;
  return means;
}

TEST(SpinePhantom, ImagesLabelsAndTruthAgree) {
  SpinePhantomOptions o = small();
  o.posture = posture_preset("rigid");
  const SpinePhantom p = make_spine_phantom(o);
  ASSERT_EQ(p.summary.termination, Termination::reached_end);
  // Labels and CT numbers.
  std::map<StructureValue, std::pair<double, int>> mean;
  for (std::size_t n = 0; n < p.anatomy.labels.values.size(); ++n) {
    auto& [sum, count] = mean[p.anatomy.labels[n]];
    sum += p.ct.volume[n];
    ++count;
  }
  const auto hu = [&](const char* name) {
    const auto& [sum, count] = mean[value(name)];
    EXPECT_GT(count, 0) << name;
    return sum / count;
  };
  EXPECT_NEAR(hu("muscle"), 55, 40);
  EXPECT_NEAR(hu("fat"), -95, 40);
  EXPECT_NEAR(hu("cauda"), 22, 25);
  EXPECT_GT(hu("vertebra_body_L3"), 140);
  EXPECT_LT(hu("vertebra_body_L3"), 320);
  EXPECT_NEAR(hu("tumour"), 55, 30);
  EXPECT_LT(mean[0].first / mean[0].second, -900);
  // Lesion: within the sphere that holds it.
  const double sphere_ml = 4.0 / 3 * 3.14159265 * std::pow(p.lesion.options.radius_mm.value(), 3) / 1000;
  EXPECT_LT(p.lesion.volume_ml, sphere_ml);
  EXPECT_GT(p.lesion.volume_ml, 0.45 * sphere_ml);
  EXPECT_LT((*centroid_mm(p.lesion.mask) - p.lesion.centre_mm).norm(), 2);
  // The truth carries each landmark exactly.
  ASSERT_EQ(p.landmarks.size(), 1u);
  ASSERT_EQ(p.landmarks[0].points.size(), 16u);
  for (std::size_t n = 0; n < 16; ++n)
    EXPECT_LT((p.mri_from_cbct * (inverse(p.ct_from_cbct) * p.landmarks[0].points[n].at_mm) -
               p.landmarks_mri[0].points[n].at_mm)
                  .norm(),
              1e-9);
  EXPECT_NEAR(angle_deg(p.mri_from_cbct), p.options.mri_rotation_deg, 1e-6);
  // The MRI shows under the truth what the CT is labelled with, in the middle of its slices.
  int same = 0, all = 0;
  const Grid& g = p.labels_mri.grid;
  const Rigid ct_from_mri = p.ct_from_cbct * inverse(p.mri_from_cbct);
  for (int k = 1; k < g.size[2] - 1; ++k)
    for (int j = 4; j < g.size[1] - 4; j += 2)
      for (int i = 0; i < g.size[0]; i += 2) {
        const auto truth = sample_nearest(p.anatomy.labels, ct_from_mri * g.to_world(i, j, k));
        if (!truth) continue;
        ++all;
        same += *truth == p.labels_mri(i, j, k);
      }
  EXPECT_GT(all, 5000);
  EXPECT_GT(double(same) / all, 0.85);  // the rest are voxels at boundaries
  // Anatomy: what is labelled has a status, roots are there as tubes.
  for (const char* name : {"vertebra_L3", "vertebra_body_L3", "canal", "dural_sac", "cauda", "tumour",
                           "muscle", "skin", "aorta", "vena_cava", "disc_L3_L4", "root_L3_left"})
    EXPECT_EQ(p.anatomy.status_of(name), StructureStatus::imported) << name;
  EXPECT_FALSE(p.anatomy.has("lung_left"));
  EXPECT_GE(p.anatomy.roots.size(), 2u);
}

TEST(SpinePhantom, TheCtOfTheBodyContinuesThatOfTheSpine) {
  SpinePhantomOptions o = small();
  o.spacing_mm = 1;
  o.supersample = 1;
  o.ct.noise_HU = 0;
  const SpinePhantom p = make_spine_phantom(o);
  const Grid &fine = p.ct.volume.grid, &body = p.ct_body.volume.grid;
  EXPECT_EQ(body.spacing_mm, Eigen::Vector3d(2, 2, 2));
  EXPECT_EQ(p.labels_ct_body.grid, body);
  // A fine face is a coarse one, and the coarse voxels at both sides of it show the same body.
  const double faces = (fine.origin_mm.x() - 0.5 - body.origin_mm.x() + 1) / 2;
  EXPECT_NEAR(faces, std::round(faces), 1e-9);
  std::array<double, 2> sums{};
  std::array<int, 2> counts{};
  double off = 0;
  int within = 0, labelled = 0;
  for (int k = 0; k < body.size[2]; ++k)
    for (int j = 0; j < body.size[1]; ++j)
      for (int i = 0; i < body.size[0]; ++i) {
        const Eigen::Vector3d x = body.to_world(i, j, k);
        if (p.labels_ct_body(i, j, k) == value("muscle") && std::abs(x.y() - 40) < 40) {
          const double beyond = std::abs(x.x() - fine.centre_mm().x()) - fine.size[0] * 0.5;
          if (std::abs(beyond) < 12) {
            sums[beyond > 0] += double(p.ct_body.volume(i, j, k));
            ++counts[beyond > 0];
          }
        }
        const auto hu = sample_linear(p.ct.volume, x);
        const auto label = sample_nearest(p.anatomy.labels, x);
        if (!hu || !label) continue;
        off += double(p.ct_body.volume(i, j, k)) - *hu;
        labelled += p.labels_ct_body(i, j, k) == *label;
        ++within;
      }
  ASSERT_GT(within, 10000);
  EXPECT_NEAR(off / within, 0, 3);
  EXPECT_GT(labelled, 0.8 * within);
  ASSERT_GT(std::min(counts[0], counts[1]), 500);
  EXPECT_NEAR(sums[0] / counts[0], sums[1] / counts[1], 16);  // of muscle, which is streaked with fat
  // The whole cross section: air on every side, both flanks.
  for (const int j : {0, body.size[1] - 1})
    for (int i = 0; i < body.size[0]; ++i) ASSERT_EQ(p.labels_ct_body(i, j, body.size[2] / 2), 0);
  int skin = 0;
  for (int i = 0; i < body.size[0]; ++i)
    skin += p.labels_ct_body(i, body.nearest({0, 20, 0})[1], body.size[2] / 2) == value("skin");
  EXPECT_GE(skin, 2);
}

TEST(SpinePhantom, EachTissueHasItsCtNumberAndItsSignal) {
  SpinePhantomOptions o = small();
  o.spacing_mm = 1.2;
  o.ct.beam_hardening_HU = 0;
  o.mr.bias = 0;
  o.mr.stack.slice_mm = 2;
  o.mr.stack.gap_mm = 0;
  const SpinePhantom p = make_spine_phantom(o);
  const auto hu = interior_means(p.ct.volume, p.anatomy.labels, 2);
  for (const auto& [name, low, high] : std::vector<std::tuple<const char*, double, double>>{
           {"muscle", 40, 65}, {"fat", -110, -80}, {"aorta", 35, 55}, {"vertebra_body_L3", 100, 260}}) {
    ASSERT_TRUE(hu.count(value(name))) << name;
    EXPECT_GT(hu.at(value(name)), low) << name;
    EXPECT_LT(hu.at(value(name)), high) << name;
  }
  const std::array<std::pair<const Image*, MrSequence>, 3> weightings = {
      std::pair{&p.mri_t1, o.mr.t1}, std::pair{&p.mri_t2, o.mr.t2}, std::pair{&p.mri_stir, o.mr.stir}};
  for (const auto& [image, sequence] : weightings) {
    EXPECT_EQ(image->modality, sequence.weighting);
    const auto seen = interior_means(image->volume, p.labels_mri, 3);
    const SpeciesSignals s = species_signals(sequence);
    const auto expected = [&](Material m) { return o.mr.scale * std::abs(s.water[m] + s.fat[m]); };
    for (const auto& [name, m] : {std::pair{"muscle", Material::muscle}, std::pair{"fat", Material::fat}}) {
      ASSERT_TRUE(seen.count(value(name))) << name;
      EXPECT_NEAR(seen.at(value(name)), expected(m), 0.12 * expected(m) + 10)
          << name << " " << to_string(sequence.weighting);
    }
  }
}

TEST(SpinePhantom, TheBendOfTheSpineIsTheTruthOfImagesFieldsAndLandmarks) {
  SpinePhantomOptions o = small();
  o.levels = {"L2", "L3", "L4"};
  o.spacing_mm = 2.5;
  o.seed = 4;
  const SpinePhantom p = make_spine_phantom(o);
  ASSERT_EQ(p.posture.motions.size(), 3u);
  ASSERT_EQ(p.landmarks_mri.size(), 3u);
  double worst = 0;
  for (std::size_t n = 0; n < 3; ++n) {
    const LevelMotion& m = p.posture.motions[n];
    EXPECT_EQ(m.level, p.landmarks[n].level);
    for (std::size_t l = 0; l < 16; ++l) {
      const Eigen::Vector3d &x = p.landmarks[n].points[l].at_mm, &y = p.landmarks_mri[n].points[l].at_mm;
      EXPECT_LT((m.mri_from_cbct * x - y).norm(), 1e-9);
      worst = std::max(worst, (p.mri_from_cbct * x - y).norm());
    }
  }
  EXPECT_GT(worst, 0.3);  // one rigid motion does not follow the bend
  EXPECT_LT(worst, 8);
  // The field agrees with each vertebra's own transform at its nodes within bone.
  const DisplacementField& f = p.posture.field;
  int checked = 0;
  for (int k = 0; k < f.grid.size[2]; ++k)
    for (int j = 0; j < f.grid.size[1]; ++j)
      for (int i = 0; i < f.grid.size[0]; ++i) {
        const Eigen::Vector3d x = f.grid.to_world(i, j, k);
        const auto label = sample_nearest(p.labels_cbct, x);
        const Eigen::Vector3d y = x + f(i, j, k).cast<double>();
        for (const LevelMotion& m : p.posture.motions)
          if (label && *label == value(("vertebra_body_" + m.level).c_str()) &&
              [&] {  // well inside: the label's voxel may reach out of the bone
                for (int a = 0; a < 3; ++a)
                  for (const double d : {-2.5, 2.5})
                    if (sample_nearest(p.labels_cbct, x + d * Eigen::Vector3d::Unit(a)) != label)
                      return false;
                return true;
              }()) {
            EXPECT_LT((m.mri_from_cbct * x - y).norm(), 1e-4) << m.level;
            ++checked;
          }
      }
  EXPECT_GT(checked, 500);
  // The MRI shows each vertebra where its own transform puts it.
  for (const LevelMotion& m : p.posture.motions) {
    const StructureValue body = value(("vertebra_body_" + m.level).c_str());
    int same = 0, all = 0;
    const Grid& g = p.labels_mri.grid;
    for (int k = 0; k < g.size[2]; ++k)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) {
          const bool here =
              sample_nearest(p.anatomy.labels, inverse(m.mri_from_cbct) * g.to_world(i, j, k)) == body;
          const bool seen = p.labels_mri(i, j, k) == body;
          all += here || seen;
          same += here && seen;
        }
    EXPECT_GT(double(same) / all, 0.8) << m.level;  // of voxels of 2.5 mm
  }
}

TEST(SpinePhantom, DistortionMovesTheImageAndIsWritten) {
  SpinePhantomOptions o = small();
  o.spacing_mm = 3;
  o.posture = posture_preset("rigid");
  const SpinePhantom straight = make_spine_phantom(o);
  EXPECT_TRUE(straight.posture.distortion.empty());
  o.mr.distortion.gradient_mm = 4;
  const SpinePhantom bent = make_spine_phantom(o);
  ASSERT_FALSE(bent.posture.distortion.empty());
  EXPECT_NE(straight.mri_t2.volume, bent.mri_t2.volume);
  EXPECT_EQ(straight.ct.volume, bent.ct.volume);
  const DisplacementField& f = bent.posture.distortion;
  const Eigen::Vector3d x = f.grid.to_world(1, 1, 1);
  EXPECT_LT((f(1, 1, 1).cast<double>() - 4 * (x / 100).squaredNorm() * (x / 100)).norm(), 1e-4);
}

TEST(SpinePhantom, SameSeedSameImagesForAnyNumberOfThreads) {
  SpinePhantomOptions o = small();
  o.spacing_mm = 3;
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const SpinePhantom one = make_spine_phantom(o);
  omp_set_num_threads(2);
  const SpinePhantom two = make_spine_phantom(o);
  omp_set_num_threads(before);
  EXPECT_EQ(one.ct.volume, two.ct.volume);
  EXPECT_EQ(one.mri_t1.volume, two.mri_t1.volume);
  EXPECT_EQ(one.mri_t2.volume, two.mri_t2.volume);
  EXPECT_EQ(one.mri_stir.volume, two.mri_stir.volume);
  EXPECT_EQ(one.labels_mri, two.labels_mri);
  EXPECT_EQ(one.cbct.volume, two.cbct.volume);
  EXPECT_EQ(one.anatomy.labels, two.anatomy.labels);
  EXPECT_EQ(one.mri_from_cbct, two.mri_from_cbct);
  o.seed = 2;
  const SpinePhantom other = make_spine_phantom(o);
  EXPECT_NE(one.ct.volume, other.ct.volume);
  EXPECT_FALSE(one.mri_from_cbct == other.mri_from_cbct);
}

TEST(SpinePhantom, CancelledSaysSo) {
  std::stop_source stop;
  stop.request_stop();
  Progress progress;
  progress.stop = stop.get_token();
  EXPECT_EQ(make_spine_phantom(small(), progress).summary.termination, Termination::cancelled);
}

TEST(SpinePhantom, LevelWords) {
  EXPECT_EQ(parse_levels("T11-L1"), (std::vector<std::string>{"T11", "T12", "L1"}));
  EXPECT_EQ(parse_levels("L3"), (std::vector<std::string>{"L3"}));
  EXPECT_EQ(parse_levels("L5-S1"), (std::vector<std::string>{"L5", "sacrum"}));
  EXPECT_EQ(parse_levels("T12-L1", SpineVariant::t13), (std::vector<std::string>{"T12", "T13", "L1"}));
  for (const char* bad : {"", "L4-L2", "L3-", "S2", "C1-C3", "T13", "L6", "L2-L9"})
    EXPECT_THROW(parse_levels(bad), ConfigError) << bad;
  EXPECT_THAT([] { parse_levels("C1"); }, ThrowsMessage<ConfigError>(HasSubstr("the phantom has C3 to S1")));
}

TEST(SpinePhantom, RefusesOptionsThatCannotBeMeant) {
  const auto refused = [](auto change) {
    SpinePhantomOptions o = small();
    change(o);
    EXPECT_THROW(o.validate(), ConfigError);
  };
  refused([](auto& o) { o.spacing_mm = 0; });
  refused([](auto& o) { o.spacing_mm = std::nan(""); });
  refused([](auto& o) { o.levels = {"L2", "L4"}; });
  refused([](auto& o) { o.levels.clear(); });
  refused([](auto& o) { o.lesion_level = "T4"; });
  refused([](auto& o) { o.lesion.radius_mm = -3; });
  refused([](auto& o) { o.spine.spread = -1; });
  refused([](auto& o) { o.ct.noise_HU = -1; });
  refused([](auto& o) { o.cbct.noise_HU = -1; });
  refused([](auto& o) { o.mr.t1.snr = -1; });
  refused([](auto& o) { o.posture.flexion_sd_deg = -1; });
}

}  // namespace
}  // namespace spinetherm
