// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace spinetherm {
namespace {

StructureValue value(const char* name) { return *structure_value(name); }
/// The mean patient's levels.
SpinePhantomOptions mean(const std::string& range, SpineVariant variant = SpineVariant::none) {
  SpinePhantomOptions o;
  o.spine.spread = 0;
  o.spine.variant = variant;
  o.levels = parse_levels(range, variant);
  return o;
}
const PlacedVertebra& vertebra(const SpineModel& m, const std::string& level) {
  return *std::find_if(m.vertebrae().begin(), m.vertebrae().end(),
                       [&](const auto& v) { return v.shape.size().level == level; });
}

TEST(SpineModel, LevelsStackFromTheHeadDown) {
  const SpineModel m(mean("T11-L2"));
  ASSERT_EQ(m.vertebrae().size(), 9u);  // with T8-T10 and L3, L4
  for (std::size_t n = 0; n + 1 < m.vertebrae().size(); ++n) {
    const VertebraSize &up = m.vertebrae()[n].shape.size(), &low = m.vertebrae()[n + 1].shape.size();
    const Eigen::Vector3d step = m.vertebrae()[n + 1].world_from_vertebra.translation_mm -
                                 m.vertebrae()[n].world_from_vertebra.translation_mm;
    EXPECT_LT(step.z(), 0);
    EXPECT_NEAR(step.norm(), up.posterior_height_mm / 2 + up.disc_below_mm + low.posterior_height_mm / 2, 2.0)
        << up.level;  // wedges make the middle line a little longer or shorter
  }
  EXPECT_LT(vertebra(m, "L1").world_from_vertebra.translation_mm.norm(), 1e-9);  // the third of four
}

TEST(SpineModel, LumbarSpineIsLordoticAndThoracicSpineKyphotic) {
  const auto bow = [](const char* range) {  // how far the middle lies in front of the ends
    const SpineModel m(mean(range));
    const auto dash = std::string(range).find('-');
    const double first = vertebra(m, std::string(range, dash)).world_from_vertebra.translation_mm.y();
    const double last = vertebra(m, std::string(range + dash + 1)).world_from_vertebra.translation_mm.y();
    return (first + last) / 2;
  };
  EXPECT_GT(bow("L1-L5"), 3);
  EXPECT_LT(bow("T5-T9"), -1);
}

TEST(SpineModel, CordLiesInTheSacInTheCanal) {
  for (const char* range : {"C4-C6", "T6-T8", "T12-L2", "L2-L4"}) {
    const SpineModel m(mean(range));
    for (double z = m.low_mm().z(); z < m.high_mm().z(); z += 1) {
      const SpineSection s = m.section(z);
      EXPECT_GT(s.sac_y - s.sac_b, s.canal_y - s.canal_b - 0.05) << range << " z " << z;
      EXPECT_LT(s.sac_y + s.sac_b, s.canal_y + s.canal_b + 0.3) << range << " z " << z;
      EXPECT_LT(s.sac_a, s.canal_a) << range << " z " << z;
      if (s.cord_a <= 1) continue;
      EXPECT_LT(s.cord_a, s.sac_a);
      EXPECT_GT(s.cord_y - s.cord_b, s.sac_y - s.sac_b) << range << " z " << z;
      EXPECT_LT(s.cord_y + s.cord_b, s.sac_y + s.sac_b) << range << " z " << z;
    }
  }
}

TEST(SpineModel, CordEndsAtL1L2AndCaudaFollows) {
  const SpineModel m(mean("T12-L3"));
  const auto has = [&](const char* level, const char* structure) {  // in the axial plane of a vertebra
    const PlacedVertebra& v = vertebra(m, level);
    for (double x = -12; x <= 12; x += 0.25)
      for (double y = -10; y <= 10; y += 0.25)
        if (m.at(v.world_from_vertebra * Eigen::Vector3d(x, v.shape.canal_y() + y, 0)).label ==
            value(structure))
          return true;
    return false;
  };
  for (const char* level : {"T12", "L1"}) EXPECT_TRUE(has(level, "cord")) << level;
  for (const char* level : {"L2", "L3"}) {
    EXPECT_FALSE(has(level, "cord")) << level;
    EXPECT_TRUE(has(level, "cauda")) << level;
  }
  EXPECT_FALSE(has("T12", "cauda"));
  // One patient in three ends a third of a level higher or lower; nobody's cord leaves T12-L2/3.
  double low = 99, high = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const SpinePatient p = draw_patient({}, seed);
    low = std::min(low, p.conus - double(*p.find("L1")));
    high = std::max(high, p.conus - double(*p.find("L1")));
  }
  EXPECT_GT(low, -0.5);
  EXPECT_LT(low, 0.2);
  EXPECT_GT(high, 0.8);
  EXPECT_LT(high, 1.5);
}

TEST(SpineModel, NothingLeavesItsSheath) {
  // Cord within sac, sac within the canal's ellipse, for the mean and for drawn patients in both postures.
  for (const char* range : {"C4-C6", "T5-T7", "T12-L1", "L4"})
    for (const double spread : {0.0, 1.0}) {
      SpinePhantomOptions o = mean(range);
      o.spine.spread = spread;
      o.seed = 5;
      const SpineModel m(o);
      const int step = kProfilesALevel / 8;
      for (int n = 0; n < int(m.vertebrae().size()) * 8; ++n) {
        const SpineProfile& s = m.profile(double(n * step) / kProfilesALevel);
        if (s.sac_a < 4) continue;  // below S1
        for (int k = 0; k < 24; ++k) {
          const double c = std::cos(2 * M_PI * k / 24), w = std::sin(2 * M_PI * k / 24);
          EXPECT_TRUE(in_ellipse(s.sac_a * c, s.sac_behind + s.sac_b * w, s.canal_a, s.canal_b + 0.3))
              << range << " " << n;
          if (s.cord_a == 0) continue;
          for (const double shift : {0.0, s.cord_prone_shift})
            EXPECT_TRUE(in_ellipse(s.cord_left + s.cord_a * c,
                                   s.cord_behind - shift + s.cord_b * w - s.sac_behind, s.sac_a, s.sac_b))
                << range << " spread " << spread << " at " << n / 8.0 << " corner " << k;
        }
      }
    }
}

TEST(SpineModel, VolumesAreThoseOfTheTable) {
  // 0.5 mm voxels, counted between the middle planes of neighbours: mean patient.
  for (const char* level : {"C5", "T8", "L3"}) {
    const SpineModel m(mean(level));
    const PlacedVertebra& v = vertebra(m, level);
    const VertebraSize& s = v.shape.size();
    std::map<StructureValue, double> count;
    const double h = 0.5;
    double canal = 0, cord = 0;
    for (double z = -0.5 * s.posterior_height_mm - 6; z < 0.5 * s.posterior_height_mm + 6; z += h)
      for (double y = -30; y < 45; y += h)
        for (double x = -30; x < 30; x += h) {
          const StructureValue label =
              m.at(v.world_from_vertebra * Eigen::Vector3d(x + 0.25, y + 0.25, z + 0.25)).label;
          count[label] += h * h * h;
          if (std::abs(z + 0.25) > 0.4 * s.posterior_height_mm) continue;
          if (label == value("cord")) cord += h * h * h;
          if (label == value("canal") || label == value("dural_sac") || label == value("cord") ||
              label == value("cauda"))
            canal += h * h * h;
        }
    const double width = (s.body_width_upper_mm + s.body_width_lower_mm) / 2,
                 depth = (s.body_depth_upper_mm + s.body_depth_lower_mm) / 2;
    // Waist and hollow endplates take from an elliptic cylinder with the rims, the broad back gives.
    const double body = M_PI / 4 * width * depth * s.posterior_height_mm;
    const double seen = count[v.body] + count[value("tumour")];
    EXPECT_NEAR(seen / body, 0.93, 0.09) << level;
    const double slab = 0.8 * s.posterior_height_mm;
    EXPECT_NEAR(canal / (M_PI / 4 * s.canal_width_mm * s.canal_depth_mm * slab), 1, 0.1) << level;
    if (s.cord_width_mm > 0) {
      EXPECT_NEAR(cord / (M_PI / 4 * s.cord_width_mm * s.cord_depth_mm * slab), 1, 0.1) << level;
    }
  }
}

TEST(SpineModel, RootsLeaveTheSacAndPassTheForamenClearOfBone) {
  for (const char* range : {"C4-C6", "T7-T9", "L2-L4", "L5"}) {
    const SpineModel m(mean(range));
    EXPECT_GE(m.roots().size(), 2u * mean(range).levels.size());
    for (const PlacedRoot& r : m.roots()) {
      const bool left = r.tube.name.ends_with("_left");
      EXPECT_EQ(r.tube.to_mm.x() > 0, left) << r.tube.name;
      for (int n = 0; n <= 40; ++n) {
        const Eigen::Vector3d x = r.tube.from_mm + (r.tube.to_mm - r.tube.from_mm) * (n / 40.0);
        for (const PlacedVertebra& v : m.vertebrae())
          EXPECT_GT(v.shape.at(v.vertebra_from_world * x).distance_mm, r.tube.radius_mm)
              << r.tube.name << " at " << n << "/40 meets " << v.shape.size().level;
      }
      const StructureValue start = m.at(r.tube.from_mm).label;
      EXPECT_TRUE(start == value("dural_sac") || start == value("cauda")) << r.tube.name;
    }
  }
}

TEST(SpineModel, RootsOfDrawnPatientsPassTheirForamina) {
  // No root's centre line meets bone, whatever the patient's sizes.
  for (const char* range : {"C4-C6", "T7-T9", "L2-L5"})
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      SpinePhantomOptions o;
      o.levels = parse_levels(range);
      o.seed = seed;
      const SpineModel m(o);
      for (const PlacedRoot& r : m.roots())
        for (int n = 0; n <= 40; ++n) {
          const Eigen::Vector3d x = r.tube.from_mm + (r.tube.to_mm - r.tube.from_mm) * (n / 40.0);
          for (const PlacedVertebra& v : m.vertebrae())
            EXPECT_GT(v.shape.at(v.vertebra_from_world * x).distance_mm, 0)
                << r.tube.name << " of " << seed << " at " << n << "/40 meets " << v.shape.size().level;
        }
    }
}

TEST(SpineModel, CortexOfABodyIsAThirdOfAMillimetre) {
  // On the way into the bodies from the front, at mid-height, by steps of 0.01 mm.
  for (const char* level : {"C5", "T8", "L3"}) {
    const SpineModel m(mean(level));
    const PlacedVertebra& v = vertebra(m, level);
    double thick = 0;
    for (double y = -v.shape.body_front(2) - 2; y < -v.shape.body_front(2) + 3; y += 0.01)
      thick +=
          0.01 * (m.at(v.world_from_vertebra * Eigen::Vector3d(1, y, 2)).material == Material::cortical_bone);
    EXPECT_NEAR(thick, 0.35, 0.04) << level;
  }
}

TEST(SpineModel, LeftIsLeftAndTheBackIsBehind) {
  const SpineModel m(mean("L2-L4"));
  EXPECT_EQ(m.at({11, -28, 0}).label, value("aorta"));  // the aorta runs on the left
  EXPECT_EQ(m.at({-14, -27, 0}).label, value("vena_cava"));
  EXPECT_EQ(m.at({64, 2, 40}).label, value("kidney_left"));
  EXPECT_EQ(m.at({0, 104, 0}).label, 0);                     // air behind the back
  EXPECT_EQ(m.at({0, 50, -6}).label, value("vertebra_L3"));  // spinous process
  EXPECT_EQ(m.at({0, 0, 8}).label, value("vertebra_body_L3"));
  EXPECT_GT(m.lesion().centre_mm.x(), 5);
}

TEST(SpineModel, LesionKeepsItsDistanceToThePosteriorWall) {
  const SpineModel m(mean("L2-L4"));
  const PlacedVertebra& v = vertebra(m, "L3");
  double last = -1e9;
  for (double y = 0; y < 30; y += 0.1)
    for (double x = 0; x < 22; x += 0.5)
      for (double z = -8; z <= 8; z += 1)
        if (m.at({x, y, z}).label == value("tumour")) last = std::max(last, y);
  const double gap = v.shape.body_half(0).y() - last;
  EXPECT_EQ(m.lesion().wall_gap_mm, 7);
  EXPECT_GE(gap, 6.9);
  EXPECT_LE(gap, 9.5);
}

TEST(SpineModel, EveryLevelHasRoomForALesionOfItsSize) {
  for (const std::string& level : parse_levels("C3-L5")) {
    SpinePhantomOptions o = mean(level);
    for (const auto place : {LesionPlace::anterior, LesionPlace::central, LesionPlace::posterior}) {
      o.lesion.place = place;
      const SpineModel m(o);
      EXPECT_GE(m.lesion().radius_mm, 3) << level;
      EXPECT_EQ(m.at(m.lesion().centre_mm + Eigen::Vector3d(2.2, 0, 0)).label, value("tumour")) << level;
    }
  }
}

TEST(SpineModel, DiscsFillTheSpaceBetweenTheBodies) {
  const SpineModel m(mean("T11-L4"));
  for (std::size_t n = 0; n + 1 < m.vertebrae().size(); ++n) {
    const PlacedVertebra &up = m.vertebrae()[n], &low = m.vertebrae()[n + 1];
    const Eigen::Vector3d from = up.world_from_vertebra * Eigen::Vector3d(6, -4, 0),
                          to = low.world_from_vertebra * Eigen::Vector3d(6, -4, 0);
    int in_disc = 0;
    for (int k = 0; k <= 100; ++k) {
      const StructureValue label = m.at(from + (to - from) * (k / 100.0)).label;
      EXPECT_TRUE(label == up.body || label == low.body || label == up.disc_below || label == value("tumour"))
          << structure_name(up.disc_below) << " " << k << " " << structure_name(label);
      in_disc += label == up.disc_below;
    }
    EXPECT_NEAR(in_disc / 100.0 * (to - from).norm(), up.shape.size().disc_below_mm + 1.5, 2.5);
  }
}

TEST(SpineModel, MeanPatientIsAlikeLeftAndRight) {
  for (const char* range : {"C5", "T8", "L4"}) {
    const SpineModel m(mean(range));
    const auto kind = [&](const Eigen::Vector3d& x) {
      const SpinePoint p = m.at(x);
      const bool bone = p.material == Material::cortical_bone || p.material == Material::trabecular_bone ||
                        p.material == Material::posterior_bone || p.label == value("tumour");
      return bone                                                                                     ? 1
             : p.label == value("cord") || p.label == value("dural_sac") || p.label == value("cauda") ? 2
                                                                                                      : 0;
    };
    int differ = 0, all = 0;
    for (double x = 0.3; x < 45; x += 1.1)
      for (double y = -25; y < 60; y += 1.3)
        for (double z = m.low_mm().z(); z < m.high_mm().z(); z += 2.3, ++all)
          differ += kind({x, y, z}) != kind({-x, y, z});
    // Only the basivertebral funnel of a lesion's level can differ, where the lesion lies on one side.
    EXPECT_LT(differ, all / 2000) << range;
  }
}

TEST(SpineModel, SameSeedSamePatientDifferentSeedAnother) {
  SpinePhantomOptions o;
  o.levels = {"T8"};
  o.seed = 3;
  const SpineModel a(o), b(o);
  o.seed = 4;
  const SpineModel c(o);
  int differ = 0;
  for (double x = -40; x < 40; x += 1.7)
    for (double y = -25; y < 60; y += 1.7)
      for (double z = -12; z < 12; z += 1.9) {
        const SpinePoint p = a.at({x, y, z}), q = b.at({x, y, z});
        EXPECT_TRUE(p.label == q.label && p.material == q.material && p.texture == q.texture);
        differ += p.label != c.at({x, y, z}).label;
      }
  EXPECT_GT(differ, 500);
}

TEST(SpineModel, CurveGoesThereAndBack) {
  const SpineModel m(mean("T10-L5"));
  for (const double level : {0.4, 2.0, 4.5, 6.9, 8.2})
    for (const double left : {-20.0, 0.0, 15.0})
      for (const double behind : {-45.0, 0.0, 40.0}) {
        const CurvePoint c = m.curve().at(m.curve().point({left, behind, level}));
        EXPECT_NEAR(c.left_mm, left, 0.02);
        EXPECT_NEAR(c.behind_mm, behind, 0.02) << level << " " << left;
        EXPECT_NEAR(c.level, level, 0.002) << left << " " << behind;
      }
}

TEST(SpineModel, VariantsHaveTheirVertebraeAndRibs) {
  const auto ribs = [](SpineVariant variant, const char* range) {
    const SpineModel m(mean(range, variant));
    const PlacedVertebra& v = vertebra(m, std::string(range));
    // A rib stands beside the vertebra, outside of every other bone.
    int found = 0;
    for (const double side : {1.0, -1.0}) {
      bool here = false;
      for (double x = 14; x < 60; x += 0.5)
        for (double y = -15; y < 45; y += 0.5)
          for (const double z : {-6.0, -2.0, 2.0, 6.0})
            here =
                here || m.at(v.world_from_vertebra * Eigen::Vector3d(side * x, y, z)).label == value("rib");
      found += here;
    }
    return found;
  };
  EXPECT_EQ(ribs(SpineVariant::none, "T12"), 2);
  EXPECT_EQ(ribs(SpineVariant::none, "L1"), 0);
  EXPECT_EQ(ribs(SpineVariant::none, "C7"), 0);
  EXPECT_EQ(ribs(SpineVariant::t13, "T13"), 2);
  EXPECT_EQ(ribs(SpineVariant::cervical_rib, "C7"), 2);
  const SpineModel six(mean("L5-L6", SpineVariant::lumbarised_s1));
  EXPECT_EQ(six.vertebrae().back().shape.size().level, "sacrum");
  EXPECT_EQ(vertebra(six, "L6").disc_below, value("disc_L6_sacrum"));
  EXPECT_EQ(vertebra(six, "L5").disc_below, value("disc_L5_sacrum"));  // as a spine without L6 names it
}

}  // namespace
}  // namespace spinetherm
