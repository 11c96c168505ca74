// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>  // mkdtemp is POSIX

#include <filesystem>
#include <fstream>
#include <string>

#include "imaging/core/volume.h"

namespace spinetherm {

/// A folder of its own for each test, removed at its end.
class FolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "spinetherm-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::size_t files_in_folder() const {
    return std::size_t(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
  static std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void put(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::filesystem::path folder;
};

/// Small, anisotropic and oblique; left-handed on demand.
inline Grid oblique_grid(bool left_handed) {
  Grid grid;
  grid.size = {7, 5, 4};
  grid.spacing_mm = {0.5, 1.25, 3};
  grid.origin_mm = {-31.5, 42.25, -810.75};
  grid.direction = Eigen::AngleAxisd(0.4, Eigen::Vector3d(1, -2, 0.5).normalized()).toRotationMatrix();
  if (left_handed) grid.direction.col(1) *= -1;
  return grid;
}

/// Every voxel another value.
template <class T>
Volume<T> numbered(const Grid& grid, double first = 0, double step = 1) {
  Volume<T> volume(grid);
  for (std::size_t n = 0; n < volume.values.size(); ++n) volume[n] = T(first + step * double(n));
  return volume;
}

}  // namespace spinetherm
