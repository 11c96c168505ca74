// SPDX-License-Identifier: Apache-2.0
#include "imaging/displacement_field.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "imaging/info.h"
#include "imaging/write.h"
#include "tests/imaging/io_fixture.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

DisplacementField some_field() {
  Grid g;
  g.size = {5, 4, 3};
  g.spacing_mm = {2, 2, 2.5};
  g.origin_mm = {-31, 12, 440};
  DisplacementField f(g, Eigen::Vector3f::Zero());
  for (std::size_t n = 0; n < f.values.size(); ++n)
    f[n] = Eigen::Vector3f(float(n) + 0.25F, -2.0F * float(n), 0.5F);  // no two axes alike
  return f;
}

class DisplacementFieldFile : public FolderTest {
 protected:
  std::filesystem::path file(const std::string& name) const { return folder / name; }
};

TEST_F(DisplacementFieldFile, ComesBackAsItWas) {
  const DisplacementField f = some_field();
  for (const char* name : {"f.nii.gz", "f.nii", "f.nrrd", "f.mha"}) {
    write_displacement_field(file(name), f);
    const DisplacementField read = read_displacement_field(file(name));
    EXPECT_TRUE(same_geometry(read.grid, f.grid)) << name;
    EXPECT_EQ(read.values, f.values) << name;  // LPS: nothing is turned
  }
}

TEST_F(DisplacementFieldFile, IsKnownToInfo) {
  for (const char* name : {"f.nii.gz", "f.nrrd", "f.mha"}) {
    write_displacement_field(file(name), some_field());
    const ScanInfo info = describe(file(name));
    ASSERT_EQ(info.items.size(), 1U) << name;
    // MetaImage has no word for it.
    EXPECT_EQ(info.items[0].kind, std::string(name) == "f.mha" ? "image of several values per voxel"
                                                               : "displacement or vector field")
        << name;
  }
}

TEST_F(DisplacementFieldFile, RefusesWhatIsNone) {
  write_volume(file("image.nii.gz"), Volume<float>(some_field().grid));
  EXPECT_THAT([&] { read_displacement_field(file("image.nii.gz")); },
              ThrowsMessage<IoError>(HasSubstr("three numbers")));
  EXPECT_THROW(read_displacement_field(file("nothing.nrrd")), IoError);
  EXPECT_THROW(write_displacement_field(file("f.tfm"), some_field()), IoError);
  EXPECT_THROW(write_displacement_field(file("f.mha"), DisplacementField{}), ConfigError);
}

}  // namespace
}  // namespace spinetherm
