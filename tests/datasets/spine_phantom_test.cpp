// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_phantom.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

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

TEST(SpinePhantom, ImagesLabelsAndTruthAgree) {
  const SpinePhantom p = make_spine_phantom(small());
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
  // The MRI shows under the truth what the CT is labelled with.
  int same = 0, all = 0;
  const Grid& g = p.anatomy.labels.grid;
  for (int k = 4; k < g.size[2] - 4; k += 2)
    for (int j = 0; j < g.size[1]; j += 2)
      for (int i = 0; i < g.size[0]; i += 2) {
        const auto seen = sample_nearest(p.labels_mri, p.mri_from_cbct * g.to_world(i, j, k));
        if (!seen) continue;
        ++all;
        same += *seen == p.anatomy.labels(i, j, k);
      }
  EXPECT_GT(all, 10000);
  EXPECT_GT(double(same) / all, 0.88);  // the rest are voxels at boundaries
  // Anatomy: what is labelled has a status, roots are there as tubes.
  for (const char* name : {"vertebra_L3", "vertebra_body_L3", "canal", "dural_sac", "cauda", "tumour",
                           "muscle", "skin", "aorta", "vena_cava", "disc_L3_L4", "root_L3_left"})
    EXPECT_EQ(p.anatomy.status_of(name), StructureStatus::imported) << name;
  EXPECT_FALSE(p.anatomy.has("lung_left"));
  EXPECT_GE(p.anatomy.roots.size(), 2u);
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
  EXPECT_EQ(one.mri_t2.volume, two.mri_t2.volume);
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
}

}  // namespace
}  // namespace spinetherm
