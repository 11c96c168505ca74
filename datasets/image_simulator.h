// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "datasets/image_material.h"
#include "imaging/core/image.h"
#include "imaging/core/progress.h"
#include "imaging/core/rigid.h"

namespace spinetherm {

/// What a body is made of at a point [mm]. Must be pure: it is called from several threads.
using MaterialField = std::function<Material(const Eigen::Vector3d&)>;

/// One value for each material: CT numbers, or MR signals.
using MaterialValues = std::array<double, kMaterialCount>;
MaterialValues ct_numbers();
/// Spin echo: S = PD (1 - exp(-TR / T1)) exp(-TE / T2), relative to water at full signal.
MaterialValues spin_echo_signals(double tr_ms, double te_ms);

/// Mean value over each voxel; x_in_field = field_from_grid * x_on_grid, and `centres` holds the material at
/// every voxel centre. A voxel whose 26 neighbours are all of its material has that value; any other
/// is averaged over `supersample`^3 points, so that a wall thinner than a voxel shows with the part it fills.
/// Misses what is smaller than a voxel and far from any other boundary. Cancelled: an empty volume.
Volume<float> render(const MaterialField& field, const Volume<Material>& centres,
                     const Rigid& field_from_grid, const MaterialValues& values, int supersample = 3,
                     const Progress& progress = {});

/// Separable Gaussian of standard deviation `sigma_mm`, cut at 3 sigma; edge values are held outside.
Volume<float> blur(const Volume<float>& volume, double sigma_mm);

struct CtOptions {
  double psf_sigma_mm = 0.4;  ///< of the reconstruction kernel (FWHM 0.9 mm, soft to medium)
  double noise_HU = 15;       ///< standard deviation; diagnostic CT 12-20
  void validate() const;
};
/// CT of the sharp HU volume. Values are cut to [-1024, 3071] and rounded, as scanners store them. The noise
/// of a slice depends on `seed` and its number only, never on threads.
Image simulate_ct(const Volume<float>& sharp_HU, const CtOptions& options, std::uint64_t seed);

struct MrOptions {
  double tr_ms = 3500, te_ms = 100;  ///< T2-weighted turbo spin echo of the spine, as a spin echo
  double psf_sigma_mm = 0.4;
  double snr = 25;     ///< signal of water over the noise of each channel; 15-40 clinically
  double bias = 0.3;   ///< the surface coil's sensitivity varies by +/- this share, strongest at the back
  double scale = 500;  ///< scanner units of water at full signal
  void validate() const;
};
/// T2 image of the sharp signal volume, with coil sensitivity (a plane rising towards the patient's back plus
/// a slow wave along the spine) and Rician noise: |S + n1 + i n2|.
Image simulate_mr_t2(const Volume<float>& sharp_signal, const MrOptions& options, std::uint64_t seed);

struct CbctOptions {
  double fov_diameter_mm = 160, fov_height_mm = 150;  ///< cylinder about the grid's centre, axis along z
  double psf_sigma_mm = 0.5;
  double noise_HU = 60;      ///< mobile systems 40-90
  double cupping_HU = -120;  ///< at the axis, falling to 0 with the square of the radius
  double hu_scale = 0.92;    ///< CT numbers shrink towards 0 (0.8-1.1 reported)
  double hu_offset = 20;
  void validate() const;
};
/// CT number of CBCT voxels outside the field of view: not measured, never air. No voxel inside has it.
inline constexpr float kCbctOutside_HU = -1024;
struct CbctScan {
  Image image;                 ///< kCbctOutside_HU where `valid` is 0
  Volume<std::uint8_t> valid;  ///< 1 inside the cylinder
};
CbctScan simulate_cbct(const Volume<float>& sharp_HU, const CbctOptions& options, std::uint64_t seed);

}  // namespace spinetherm
