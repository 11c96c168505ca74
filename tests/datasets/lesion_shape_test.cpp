// SPDX-License-Identifier: Apache-2.0
#include "datasets/lesion_shape.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

StructureValue value(const char* name) { return *structure_value(name); }

SpinePhantomOptions with(const std::string& levels, const std::string& words, std::uint64_t seed = 1) {
  SpinePhantomOptions o;
  o.levels = parse_levels(levels);
  o.lesion = parse_lesion(words);
  o.seed = seed;
  return o;
}

/// Visits the box that the lesion may change.
template <class Visit>
void visit_lesion(const SpineModel& m, double step, Visit visit) {
  const Eigen::AlignedBox3d& box = m.lesion().box;
  for (double z = box.min().z(); z <= box.max().z(); z += step)
    for (double y = box.min().y(); y <= box.max().y(); y += step)
      for (double x = box.min().x(); x <= box.max().x(); x += step) visit(Eigen::Vector3d(x, y, z));
}

TEST(BodyFracture, TakesHeightInFrontAndComesBackToWhereItWas) {
  const VertebraShape shape(vertebra_size("L2"));
  const BodyFracture f = fracture_body(shape, 0.4);
  const double height = shape.size().posterior_height_mm, h = height / 2, wall = shape.wall_y();
  EXPECT_NEAR(f.after({0, -wall, h}).z(), h - 0.4 * height, 1e-9);
  EXPECT_NEAR(f.after({0, wall, h}).z(), h - 0.12 * height, 1e-9);
  EXPECT_NEAR(f.after({0, 0, -h}).z(), -h, 1e-12);
  EXPECT_NEAR(f.after({0, wall + 12, h}).z(), h, 1e-9) << "the arch stays";
  for (double y : {-30.0, -15.0, 0.0, 14.0, 18.0, 25.0})
    for (double z : {-20.0, -11.0, -3.0, 5.0, 11.0, 20.0})
      EXPECT_LT((f.before(f.after({3, y, z})) - Eigen::Vector3d(3, y, z)).norm(), 1e-9) << y << " " << z;
  // What stands on the endplate sinks with it.
  for (double y : {-wall, 0.0, wall})
    EXPECT_LT((f.sinking() * Eigen::Vector3d(0, y, h) - f.after({0, y, h})).norm(), 1.2) << y;
}

TEST(BodyFracture, BodyIsLowerAndAllAboveFollows) {
  const SpineModel intact(with("T11-L1", "lytic,central,size:10")),
      broken(with("T11-L1", "lytic,central,size:10,fracture:0.4"));
  ASSERT_EQ(intact.vertebrae().size(), broken.vertebrae().size());
  // T12 is the middle and stays; T11 comes down and forwards, L1 stays.
  const auto vertebra = [](const SpineModel& m, const char* level) -> const PlacedVertebra& {
    return *std::ranges::find_if(m.vertebrae(),
                                 [&](const PlacedVertebra& v) { return v.shape.size().level == level; });
  };
  const auto place = [&](const SpineModel& m, const char* level) {
    return vertebra(m, level).world_from_vertebra;
  };
  EXPECT_LT((place(intact, "T12").translation_mm - place(broken, "T12").translation_mm).norm(), 1e-9);
  EXPECT_LT((place(intact, "L1").translation_mm - place(broken, "L1").translation_mm).norm(), 1e-9);
  const double height = vertebra(intact, "T12").shape.size().posterior_height_mm;
  const double sunk = place(intact, "T11").translation_mm.z() - place(broken, "T11").translation_mm.z();
  EXPECT_NEAR(sunk, (0.4 + 0.12) / 2 * height, 1.5);
  EXPECT_LT(place(broken, "T11").translation_mm.y(), place(intact, "T11").translation_mm.y() - 1);
  // The upper endplate in front, in labels.
  const auto in_T12 = [&](double y, double z) {
    return Eigen::Vector3d(place(intact, "T12") * Eigen::Vector3d(0, y, z));
  };
  const auto top = [&](const SpineModel& m, double y) {
    double z = -8;
    while (m.healthy_at(in_T12(y, z)).label == value("vertebra_body_T12")) z += 0.1;
    return z;
  };
  const double front = -0.8 * intact.vertebrae()[2].shape.wall_y();
  EXPECT_NEAR(top(intact, front) - top(broken, front), 0.4 * height * 0.93, 1.2);
  // The disc above still fills the gap, and the cord still runs through.
  EXPECT_EQ(broken.at(in_T12(-2, top(broken, -2) + 2)).label, value("disc_T11_T12"));
}

TEST(LesionShape, KeepsCortexOutsideAndErodesItNear) {
  const SpineModel lytic(with("L2-L4", "lytic,anterior,size:30")),
      blastic(with("L2-L4", "blastic,anterior,size:30"));
  int gone = 0, eaten = 0, kept = 0;
  visit_lesion(lytic, 0.4, [&](const Eigen::Vector3d& x) {
    const SpinePoint was = lytic.healthy_at(x), is = lytic.at(x);
    if (was.material != Material::cortical_bone) return;
    EXPECT_EQ(blastic.at(x).material, Material::cortical_bone);
    gone += is.label == value("tumour");
    eaten += is.label != value("tumour") && is.material != Material::cortical_bone;
    kept += is.material == Material::cortical_bone;
  });
  EXPECT_GT(gone, 50);
  EXPECT_GT(eaten, 50);
  EXPECT_GT(kept, 50);
}

TEST(LesionShape, MaterialsOfTheKinds) {
  const auto share = [](const std::string& kind, Material material) {
    const SpineModel m(with("L2-L4", kind + ",central,size:20"));
    double all = 0, of = 0;
    visit_lesion(m, 1, [&](const Eigen::Vector3d& x) {
      const SpinePoint p = m.at(x);
      if (p.label != value("tumour")) return;
      ++all;
      of += p.material == material;
    });
    EXPECT_GT(all, 1000);
    return of / all;
  };
  EXPECT_EQ(share("lytic", Material::tumour_lytic), 1);
  EXPECT_EQ(share("blastic", Material::tumour_blastic), 1);
  EXPECT_EQ(share("marrow", Material::tumour_marrow), 1);
  EXPECT_NEAR(share("mixed", Material::tumour_blastic), 0.5, 0.25);
}

TEST(LesionShape, SizePlaceAndOutlineComeFromTheSeed) {
  const auto volume = [](std::uint64_t seed) {
    const SpineModel m(with("L2-L4", "lytic,central,size:16", seed));
    double n = 0;
    visit_lesion(m, 0.5, [&](const Eigen::Vector3d& x) { n += m.at(x).label == value("tumour"); });
    return n / 8000;
  };
  const double sphere = 4.0 / 3 * M_PI * 0.512;
  for (std::uint64_t seed : {1, 2, 3, 4}) {
    EXPECT_LT(volume(seed), sphere);
    EXPECT_GT(volume(seed), 0.5 * sphere);
  }
  EXPECT_NE(volume(1), volume(2));
  EXPECT_EQ(volume(3), volume(3));
  EXPECT_GT((SpineModel(with("L3", "lytic,posterior", 5)).lesion().centre_mm -
             SpineModel(with("L3", "lytic,posterior", 6)).lesion().centre_mm)
                .norm(),
            0.1);
}

TEST(LesionShape, GrowsIntoThePediclesThatWereNamed) {
  const auto in_pedicle = [](const std::string& words, int side) {
    const SpineModel m(with("T8", words));
    const PlacedVertebra& v = m.vertebrae()[m.lesion().vertebra];
    return m.at(v.world_from_vertebra * v.shape.pedicle_centre(side)).label == value("tumour");
  };
  EXPECT_FALSE(in_pedicle("lytic,posterior", 1));
  EXPECT_TRUE(in_pedicle("lytic,posterior,pedicle", 1));
  EXPECT_FALSE(in_pedicle("lytic,posterior,pedicle", -1));
  EXPECT_TRUE(in_pedicle("lytic,posterior,pedicle,both", -1));
  EXPECT_TRUE(in_pedicle("blastic,pedicle,right", -1));
}

TEST(LesionShape, PosteriorWallStandsUnlessAHoleIsAskedFor) {
  for (const char* words :
       {"lytic,central,size:22", "lytic,pedicle,size:12", "mixed,posterior,pedicle,both,size:20"}) {
    const SpineModel m(with("T7-T9", words));
    visit_lesion(m, 0.5, [&](const Eigen::Vector3d& x) {
      if (m.at(x).label != value("tumour")) return;
      for (const Eigen::Vector3d& d :
           {Eigen::Vector3d(0, 0.4, 0), Eigen::Vector3d(0.4, 0, 0), Eigen::Vector3d(-0.4, 0, 0)}) {
        const StructureValue beside = m.at(x + d).label;
        EXPECT_TRUE(beside != value("canal") && beside != value("dural_sac"))
            << words << " at " << x.transpose();
      }
    });
  }
}

TEST(LesionShape, MassBesideTheBodySparesVesselsAndCanal) {
  const SpineModel m(with("L3", "lytic,posterior,left,paraspinal,size:24"));
  double outside = 0;
  visit_lesion(m, 0.7, [&](const Eigen::Vector3d& x) {
    const SpinePoint was = m.healthy_at(x), is = m.at(x);
    if (was.label == value("aorta") || was.label == value("canal") || was.label == value("cauda")) {
      EXPECT_EQ(is.label, was.label);
    }
    if (is.label != value("tumour") || is_vertebra(was.label)) return;
    ++outside;
    EXPECT_GT(x.x(), 10);  // on the left
    EXPECT_EQ(is.material, Material::tumour_lytic);
  });
  EXPECT_GT(outside * 0.343 / 1000, 1) << "ml";
}

TEST(LesionShape, RefusesWhatIsLargerThanTheBody) {
  EXPECT_THAT([] { SpineModel m(with("T3", "lytic,posterior,size:30")); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("30 mm does not fit"), HasSubstr("T3"),
                                               HasSubstr("larger than the body"))));
  EXPECT_THAT([] { SpineModel m(with("T5", "lytic,pedicle,size:40")); },
              ThrowsMessage<ConfigError>(HasSubstr("pedicle of T5")));
  SpinePhantomOptions o = with("L3", "lytic,posterior,size:24");
  o.lesion.wall_gap_mm = 28;
  EXPECT_THAT([&] { SpineModel m(o); }, ThrowsMessage<ConfigError>(HasSubstr("gap to the wall")));
}

}  // namespace
}  // namespace spinetherm
