// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/volume.h"

namespace spinetherm {

enum class Modality { unknown, ct, cbct, mr_t1, mr_t2, mr_stir, mr_other };

constexpr std::string_view to_string(Modality m) {
  switch (m) {
    case Modality::unknown:
      return "unknown";
    case Modality::ct:
      return "CT";
    case Modality::cbct:
      return "CBCT";
    case Modality::mr_t1:
      return "MR T1";
    case Modality::mr_t2:
      return "MR T2";
    case Modality::mr_stir:
      return "MR STIR";
    case Modality::mr_other:
      return "MR";
  }
  return "unknown";
}
constexpr bool is_mr(Modality m) {
  return m == Modality::mr_t1 || m == Modality::mr_t2 || m == Modality::mr_stir || m == Modality::mr_other;
}

/// A scan: HU when `modality` is ct or cbct, scanner units when it is MR.
struct Image {
  Volume<float> volume;
  Modality modality = Modality::unknown;
  std::string source;                 ///< path as the user gave it, and the series when it was chosen
  std::vector<std::string> warnings;  ///< what a reader noticed and did not refuse
};

}  // namespace spinetherm
