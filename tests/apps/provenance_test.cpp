// SPDX-License-Identifier: Apache-2.0
#include "apps/io/provenance.h"

#include <gtest/gtest.h>

#include <fstream>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

TEST(Provenance, Sha256OfAKnownTextAndOfAFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "provenance_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "a.txt") << "abc";
  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256_of(folder / "a.txt"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string before = sha256_of(folder);
  std::ofstream(folder / "b.txt") << "d";
  EXPECT_NE(sha256_of(folder), before);
  EXPECT_THROW(sha256_of(folder / "missing"), IoError);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace spinetherm
