// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/image.h"
#include "imaging/core/progress.h"
#include "imaging/core/rigid.h"

namespace spinetherm {

struct RigidOptions {
  /// Where the search begins. Capture range from there, measured on synthetic lumbar pairs (guidance.md 2.5):
  /// 10 mm with 2.5 deg always, 20 mm with 5 deg mostly, 30 mm with 7.5 deg never.
  Rigid moving_from_fixed;
  /// Only the part of FIXED within `radius_mm` of this point counts (a cube, LPS mm): the vertebra of
  /// interest and its neighbours. Empty: all of it.
  std::optional<Eigen::Vector3d> centre_mm;
  double radius_mm = 70;
  /// Voxels [mm] that both images are averaged to before the search; 2 mm resolves a vertebra and needs ten
  /// seconds. Axes with thicker slices keep them.
  double working_spacing_mm = 2;
  int histogram_bins = 40;         ///< [-]; fewer are blind to soft tissue, more to small regions
  double sampling_fraction = 0.2;  ///< share of FIXED's voxels a level uses [-]
  /// Gradient steps a level, at most [-].
  int max_iterations = 150;
  std::uint32_t seed = 1;  ///< of the voxels that are sampled
  /// Registers the other way round too and reports by how much the two disagree; doubles the time.
  bool check_inverse = true;

  void validate() const;
};

/// How far a registration may be trusted: `check` asks for eyes, `refuse` must not be used.
enum class RegistrationVerdict { good, check, refuse };
constexpr std::string_view to_string(RegistrationVerdict v) {
  return v == RegistrationVerdict::good ? "good" : v == RegistrationVerdict::check ? "check" : "refuse";
}

/// Numbers behind the verdict. Empty: not computed, or not computable.
struct RegistrationQuality {
  std::optional<double> tre_mm;  ///< landmark error, where landmarks are known
  /// Mutual information [nat] at the result, and the best one found when MOVING slides 16 to 44 mm along the
  /// head-foot axis: the spine repeats itself, and a pair that is one level off looks nearly as good.
  std::optional<double> mutual_information, level_up, level_down;
  std::optional<double> inverse_consistency_mm;  ///< largest distance over the corners of the region
  std::optional<double> overlap;                 ///< share of the region of FIXED that MOVING covers [-]
};

struct RegistrationSummary {
  Termination termination = Termination::not_run;
  std::array<int, 3> iterations{0, 0, 0};  ///< a level, coarse first
  double wall_time_s = 0;
  std::string failure;  ///< what went wrong, when termination is diverged
};

struct RegistrationResult {
  Rigid moving_from_fixed;  ///< takes a point of FIXED to MOVING; ITK's transform of fixed to moving points
  Rigid fixed_from_moving;
  RegistrationQuality quality;
  RegistrationSummary summary;
  RegistrationVerdict verdict = RegistrationVerdict::refuse;
  std::vector<std::string> reasons;  ///< of a verdict that is not good

  bool usable() const { return verdict != RegistrationVerdict::refuse; }
};

/// Global rigid registration that maximises Mattes mutual information (Mattes et al. 2003,
/// doi:10.1109/TMI.2003.809072) by regular-step gradient descent over three levels (shrink 4, 2, 1 of the
/// working spacing; smoothing 4, 2, 1 mm), rotation about the centre of the region; ITK v4. For the CBCT-MRI
/// pair FIXED is the CBCT and the result `mri_from_cbct`.
///
/// Voxels that are not numbers, and the constant frame outside the field of a CBCT, are left out on both
/// sides. The metric runs on one thread with a fixed seed: every run gives the same numbers.
///
/// Never throws for a pair that does not register: no overlap, "too many samples outside", a cancelled run
/// come back as `refuse` with the reason. ConfigError for options that cannot be meant, or an empty image.
/// One rigid motion cannot follow a spine that bends between scans: 1 to 2 mm over three levels, more over
/// a whole spine.
RegistrationResult register_rigid(const Image& fixed, const Image& moving, const RigidOptions& options = {},
                                  const Progress& progress = {});

/// Mutual information [nat] of two images where both are known, from a joint histogram of bins x bins with
/// linear interpolation of MOVING; and the share of FIXED's voxels that MOVING covers. Empty below 1000
/// voxels.
struct MutualInformation {
  double value_nat = 0, overlap = 0;
};
std::optional<MutualInformation> mutual_information(const Volume<float>& fixed, const Volume<float>& moving,
                                                    const Rigid& moving_from_fixed, int bins = 40,
                                                    const Rigid* also_covered = nullptr);

/// Mean distance [mm] between landmarks of FIXED carried to MOVING and their partners there (TRE).
/// ConfigError when the lists differ in length or are empty.
double landmark_error_mm(const Rigid& moving_from_fixed, const std::vector<Eigen::Vector3d>& in_fixed_mm,
                         const std::vector<Eigen::Vector3d>& in_moving_mm);

}  // namespace spinetherm
