// SPDX-License-Identifier: Apache-2.0
#include "imaging/transform_io.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "imaging/core/error.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class TransformIo : public FolderTest {
 protected:
  std::filesystem::path text(const std::string& body) const {
    const auto path = folder / "t.tfm";
    put(path, "#Insight Transform File V1.0\n" + body);
    return path;
  }
};

Rigid some_motion() {
  return {Eigen::Quaterniond(Eigen::AngleAxisd(2.5, Eigen::Vector3d(1, 2, -3).normalized())),
          {11.5, -20.25, 333.125}};
}

const std::vector<Eigen::Vector3d> kPoints = {{0, 0, 0}, {10, -20, 30}, {-150.5, 240.25, -566}};

TEST_F(TransformIo, RigidMotionsComeBackThroughEveryKindOfFile) {
  const Rigid mri_from_cbct = some_motion();
  for (const char* name : {"t.tfm", "t.txt", "t.h5", "t.mat"}) {
    const auto path = folder / name;
    write_transform(path, mri_from_cbct);
    const Rigid back = read_rigid(path);
    const auto mapped = map_points(path, kPoints), returned = map_points(path, mapped, /*inverse=*/true);
    for (std::size_t n = 0; n < kPoints.size(); ++n) {
      EXPECT_LT((back * kPoints[n] - mri_from_cbct * kPoints[n]).norm(), 1e-9) << name;
      EXPECT_LT((mapped[n] - mri_from_cbct * kPoints[n]).norm(), 1e-9) << name;
      EXPECT_LT((returned[n] - kPoints[n]).norm(), 1e-9) << name;
    }
    EXPECT_TRUE(describe_transform(path).rigid) << name;
    EXPECT_TRUE(is_transform_file(path)) << name;
  }
  EXPECT_EQ(bytes_of(folder / "t.h5").substr(1, 3), "HDF")
      << "a second file must not keep the first one's format";
  EXPECT_EQ(files_in_folder(), 4u);
}

TEST_F(TransformIo, ReadsTheKindsThatOthersWrite) {
  const auto euler =
      text("Transform: Euler3DTransform_double_3_3\nParameters: 0 0 0.5 1 2 3\nFixedParameters: 10 0 0 0\n");
  // x' = R (x - c) + c + t
  const Eigen::Matrix3d rotation = Eigen::AngleAxisd(0.5, Eigen::Vector3d::UnitZ()).toRotationMatrix();
  const Eigen::Vector3d centre(10, 0, 0), shift(1, 2, 3), x(4, 5, 6);
  EXPECT_LT((read_rigid(euler) * x - (rotation * (x - centre) + centre + shift)).norm(), 1e-9);

  const auto translation =
      text("Transform: TranslationTransform_double_3_3\nParameters: 1 2 3\nFixedParameters:\n");
  EXPECT_LT((read_rigid(translation) * x - (x + shift)).norm(), 1e-12);

  const auto single = text(
      "Transform: AffineTransform_float_3_3\nParameters: 1 0 0 0 1 0 0 0 1 1 2 3\nFixedParameters: 0 0 0\n");
  EXPECT_LT((read_rigid(single) * x - (x + shift)).norm(), 1e-6);

  // Of a composite, ITK applies the last one first.
  const auto composite = text(
      "#Transform 0\nTransform: CompositeTransform_double_3_3\n"
      "#Transform 1\nTransform: TranslationTransform_double_3_3\nParameters: 1 2 3\nFixedParameters:\n"
      "#Transform 2\nTransform: Euler3DTransform_double_3_3\nParameters: 0 0 0.5 0 0 0\nFixedParameters: 0 0 "
      "0 0\n");
  EXPECT_LT((read_rigid(composite) * x - (rotation * x + shift)).norm(), 1e-9);
}

TEST_F(TransformIo, RefusesWhatIsNoRigidMotionWithTheReason) {
  const auto affine = [&](const char* matrix) {
    return text(fmt::format(
        "Transform: AffineTransform_double_3_3\nParameters: {} 0 0 0\nFixedParameters: 0 0 0\n", matrix));
  };
  EXPECT_THAT([&] { read_rigid(affine("1.01 0 0 0 1 0 0 0 1")); },
              ThrowsMessage<IoError>(HasSubstr("scales or shears")));
  EXPECT_THAT([&] { read_rigid(affine("-1 0 0 0 1 0 0 0 1")); },
              ThrowsMessage<IoError>(HasSubstr("left becomes right")));
  const auto flat = affine("1 0 0 0 1 0 0 0 0");
  EXPECT_THAT([&] { map_points(flat, kPoints, true); }, ThrowsMessage<IoError>(HasSubstr("no inverse")));
  EXPECT_FALSE(describe_transform(flat).rigid);
  EXPECT_TRUE(describe_transform(flat).linear);
}

std::string spline(double amplitude) {
  // Cubic, one cell of 40 mm in each axis: 4 x 4 x 4 control points of three displacements.
  std::string parameters;
  for (int n = 0; n < 192; ++n) parameters += fmt::format(" {}", amplitude * std::sin(1.7 * n));
  return "Transform: BSplineTransform_double_3_3\nParameters:" + parameters +
         "\nFixedParameters: 4 4 4 -60 -60 -60 40 40 40 1 0 0 0 1 0 0 0 1\n";
}

TEST_F(TransformIo, InvertsASplineAndRefusesToCallItRigid) {
  const auto path = text(spline(3));
  EXPECT_THAT([&] { read_rigid(path); }, ThrowsMessage<IoError>(HasSubstr("bends")));
  const std::vector<Eigen::Vector3d> inside = {{-15, -10, -12}, {-5, -3, -17}, {-10, -10, -10}};
  const auto mapped = map_points(path, inside);
  double moved = 0;
  for (std::size_t n = 0; n < inside.size(); ++n) moved = std::max(moved, (mapped[n] - inside[n]).norm());
  EXPECT_GT(moved, 0.05);
  const auto back = map_points(path, mapped, true);
  for (std::size_t n = 0; n < inside.size(); ++n) EXPECT_LT((back[n] - inside[n]).norm(), 2e-3);
}

TEST_F(TransformIo, ConvertsBetweenKindsOfFile) {
  const auto path = text(spline(2));
  convert_transform(path, folder / "t.h5");
  EXPECT_EQ(describe_transform(folder / "t.h5").kind, "BSplineTransform");
  const std::vector<Eigen::Vector3d> inside = {{-15, -10, -12}};
  EXPECT_LT((map_points(path, inside)[0] - map_points(folder / "t.h5", inside)[0]).norm(), 1e-9);
}

TEST_F(TransformIo, BrokenFilesAreOneLineErrors) {
  const auto broken = [&](const std::string& name, const std::string& bytes) {
    put(folder / name, bytes);
    try {
      read_rigid(folder / name);
    } catch (const IoError& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
      return std::string(e.what());
    }
    return std::string("no error");
  };
  testing::internal::CaptureStderr();
  EXPECT_THAT(broken("a.tfm", "hello\n"), HasSubstr("is not an ITK transform file"));
  EXPECT_THAT(broken("b.tfm", ""), HasSubstr("is not an ITK transform file"));
  EXPECT_THAT(broken("c.tfm", "#Insight Transform File V1.0\n"), HasSubstr("cannot be read"));
  EXPECT_THAT(
      broken("d.tfm",
             "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 0 0\n"),
      HasSubstr("cannot be read"));
  EXPECT_THAT(broken("e.tfm",
                     "#Insight Transform File V1.0\nTransform: NoSuchTransform_double_3_3\nParameters: "
                     "1\nFixedParameters:\n"),
              HasSubstr("cannot be read"));
  EXPECT_THAT(broken("f.mat", std::string(64, 'x')), HasSubstr("cannot be read"));
  EXPECT_THAT(broken("h.tfm",
                     "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: nan 0 "
                     "0 0 1 0 0 0 1 0 0 0\nFixedParameters: 0 0 0\n"),
              testing::AnyOf(HasSubstr("not finite"), HasSubstr("cannot be read")));
  write_transform(folder / "t.tfm", some_motion());
  const std::string lines = bytes_of(folder / "t.tfm");
  for (std::size_t n = 1; n + 2 < lines.size(); n += 3)
    EXPECT_NE(broken("cut.tfm", lines.substr(0, n)), "no error") << lines.substr(0, n);
  const std::string curve = "#Insight Transform File V1.0\n" + spline(1);
  for (std::size_t n = 1; n < curve.size() - 40; n += 37)
    EXPECT_NE(broken("cut.tfm", curve.substr(0, n)), "no error") << curve.substr(0, n);
  write_transform(folder / "t.h5", some_motion());
  const std::string whole = bytes_of(folder / "t.h5");
  EXPECT_THAT(broken("g.h5", whole.substr(0, whole.size() / 2)), HasSubstr("cannot be read"));
  EXPECT_THAT(broken("i.h5", whole.substr(0, 16)), HasSubstr("cannot be read"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT([&] { read_rigid(folder / "none.tfm"); }, ThrowsMessage<IoError>(HasSubstr("does not exist")));
  EXPECT_THAT([&] { write_transform(folder / "t.xyz", some_motion()); },
              ThrowsMessage<IoError>(HasSubstr("use .tfm")));
  EXPECT_THROW(write_transform(folder / "no" / "t.tfm", some_motion()), IoError);
}

}  // namespace
}  // namespace spinetherm
