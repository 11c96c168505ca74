// SPDX-License-Identifier: Apache-2.0
// load_image PATH: reads a scan and does nothing with it, so that loading alone can be measured.
#include <cstdio>

#include "imaging/core/error.h"
#include "imaging/read.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: load_image PATH\n", stderr);
    return 2;
  }
  try {
    const spinetherm::Image image = spinetherm::read_image(argv[1]);
    std::printf("%zu voxels\n", image.volume.values.size());
  } catch (const spinetherm::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
  return 0;
}
