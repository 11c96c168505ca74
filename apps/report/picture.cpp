// SPDX-License-Identifier: Apache-2.0
#include "apps/report/picture.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace spinetherm {

Eigen::Vector3d SlicePlane::to_pixel(const Eigen::Vector3d& x_mm) const {
  const Eigen::Vector3d d = (x_mm - centre_mm) / mm_per_pixel;
  return {d.dot(right) + (width - 1) / 2.0, d.dot(down) + (height - 1) / 2.0,
          (x_mm - centre_mm).dot(right.cross(down))};
}

SlicePlane axial_plane(const Eigen::Vector3d& centre_mm) {
  SlicePlane p;
  p.centre_mm = centre_mm;
  p.right = {1, 0, 0};
  p.down = {0, 1, 0};
  return p;
}

SlicePlane sagittal_plane(const Eigen::Vector3d& centre_mm) {
  SlicePlane p;
  p.centre_mm = centre_mm;
  p.right = {0, 1, 0};
  p.down = {0, 0, -1};
  return p;
}

SlicePlane coronal_plane(const Eigen::Vector3d& centre_mm) {
  SlicePlane p;
  p.centre_mm = centre_mm;
  p.right = {1, 0, 0};
  p.down = {0, 0, -1};
  return p;
}

SlicePlane along_probe_axial(const Eigen::Vector3d& entry_mm, const Eigen::Vector3d& tip_mm,
                             const Eigen::Vector3d& near_mm) {
  SlicePlane p;
  p.down = (entry_mm - tip_mm).normalized();
  p.centre_mm = tip_mm + (near_mm - tip_mm).dot(p.down) * p.down;
  const Eigen::Vector3d left(1, 0, 0);
  p.right = left - left.dot(p.down) * p.down;
  if (p.right.norm() < 1e-3) p.right = p.down.unitOrthogonal();  // a needle straight from the side
  p.right.normalize();
  return p;
}

SlicePlane along_probe_sagittal(const Eigen::Vector3d& entry_mm, const Eigen::Vector3d& tip_mm,
                                const Eigen::Vector3d& near_mm) {
  SlicePlane p;
  p.right = (entry_mm - tip_mm).normalized();
  p.centre_mm = tip_mm + (near_mm - tip_mm).dot(p.right) * p.right;
  const Eigen::Vector3d foot(0, 0, -1);
  p.down = foot - foot.dot(p.right) * p.right;
  if (p.down.norm() < 1e-3) p.down = p.right.unitOrthogonal();  // a needle along the patient
  p.down.normalize();
  return p;
}

std::string direction_letters(const Eigen::Vector3d& direction) {
  std::array<std::pair<double, char>, 3> parts = {{{std::abs(direction[0]), direction[0] > 0 ? 'L' : 'R'},
                                                   {std::abs(direction[1]), direction[1] > 0 ? 'P' : 'A'},
                                                   {std::abs(direction[2]), direction[2] > 0 ? 'S' : 'I'}}};
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out(1, parts[0].second);
  if (parts[1].first > std::sin(10 * 3.14159265358979323846 / 180)) out += parts[1].second;  // 10 deg oblique
  return out;
}

std::array<std::string, 4> edge_letters(const SlicePlane& plane) {
  return {direction_letters(-plane.right), direction_letters(plane.right), direction_letters(-plane.down),
          direction_letters(plane.down)};
}

Window percentile_window(const Volume<float>& volume) {
  std::vector<float> values;
  const std::size_t step = std::max<std::size_t>(1, volume.values.size() / 200000);
  for (std::size_t n = 0; n < volume.values.size(); n += step)
    if (std::isfinite(volume[n])) values.push_back(volume[n]);
  if (values.empty()) return {};
  const auto at = [&](double fraction) {
    const auto nth = values.begin() + std::ptrdiff_t(fraction * double(values.size() - 1));
    std::nth_element(values.begin(), nth, values.end());
    return double(*nth);
  };
  const double low = at(0.01), high = at(0.99);
  return {(low + high) / 2, std::max(high - low, 1e-6)};
}

std::vector<std::uint8_t> grey_slice(const Volume<float>& volume, const SlicePlane& plane,
                                     const Window& window, std::uint8_t outside_grey) {
  std::vector<std::uint8_t> out(std::size_t(plane.width) * std::size_t(plane.height), outside_grey);
  const double low = window.level - window.width / 2;
#pragma omp parallel for schedule(static)
  for (int v = 0; v < plane.height; ++v)
    for (int u = 0; u < plane.width; ++u) {
      const auto value = sample_linear(volume, plane.to_world(u, v));
      if (!value || !std::isfinite(*value)) continue;
      const double grey = std::clamp((*value - low) / window.width, 0.0, 1.0) * 255;
      out[std::size_t(v) * std::size_t(plane.width) + std::size_t(u)] = std::uint8_t(std::lround(grey));
    }
  return out;
}

namespace {

/// Joins segments that share an end point, so that an outline is one path and not hundreds of pieces.
std::vector<std::vector<Eigen::Vector2d>> join(const std::vector<std::array<Eigen::Vector2d, 2>>& segments) {
  using Key = std::pair<long, long>;
  const auto key = [](const Eigen::Vector2d& p) {
    return Key(std::lround(p[0] * 1024), std::lround(p[1] * 1024));
  };
  std::multimap<Key, std::size_t> ends;
  for (std::size_t n = 0; n < segments.size(); ++n)
    for (const auto& p : segments[n]) ends.emplace(key(p), n);
  std::vector<bool> used(segments.size(), false);
  const auto extend = [&](std::vector<Eigen::Vector2d>& line) {
    for (bool grown = true; grown;) {
      grown = false;
      const auto [first, last] = ends.equal_range(key(line.back()));
      for (auto it = first; it != last; ++it) {
        if (used[it->second]) continue;
        used[it->second] = true;
        const auto& s = segments[it->second];
        line.push_back(key(s[0]) == key(line.back()) ? s[1] : s[0]);
        grown = true;
        break;
      }
    }
  };
  std::vector<std::vector<Eigen::Vector2d>> lines;
  for (std::size_t n = 0; n < segments.size(); ++n) {
    if (used[n]) continue;
    used[n] = true;
    std::vector<Eigen::Vector2d> line = {segments[n][0], segments[n][1]};
    extend(line);
    std::reverse(line.begin(), line.end());
    extend(line);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::vector<std::vector<Eigen::Vector2d>> contour(const Volume<float>& field, const SlicePlane& plane,
                                                  double level) {
  constexpr int kStep = 2;  // pixels between samples: finer than any field's cells at the scales shown
  const int nu = (plane.width - 1) / kStep + 1, nv = (plane.height - 1) / kStep + 1;
  std::vector<double> value(std::size_t(nu) * std::size_t(nv));
#pragma omp parallel for schedule(static)
  for (int b = 0; b < nv; ++b)
    for (int a = 0; a < nu; ++a) {
      const auto v = sample_linear(field, plane.to_world(a * kStep, b * kStep));
      value[std::size_t(b) * std::size_t(nu) + std::size_t(a)] = v && std::isfinite(*v) ? *v - level : -1e30;
    }
  std::vector<std::array<Eigen::Vector2d, 2>> segments;
  for (int b = 0; b + 1 < nv; ++b)
    for (int a = 0; a + 1 < nu; ++a) {
      const std::array<std::array<int, 2>, 4> corner = {{{a, b}, {a + 1, b}, {a + 1, b + 1}, {a, b + 1}}};
      std::array<double, 4> f{};
      for (std::size_t c = 0; c < 4; ++c)
        f[c] = value[std::size_t(corner[c][1]) * std::size_t(nu) + std::size_t(corner[c][0])];
      std::vector<Eigen::Vector2d> cuts;
      for (std::size_t c = 0; c < 4; ++c) {
        const std::size_t d = (c + 1) % 4;
        if ((f[c] >= 0) == (f[d] >= 0)) continue;
        const double t = std::clamp(f[c] / (f[c] - f[d]), 0.0, 1.0);
        cuts.emplace_back(kStep * (corner[c][0] + t * (corner[d][0] - corner[c][0])),
                          kStep * (corner[c][1] + t * (corner[d][1] - corner[c][1])));
      }
      for (std::size_t c = 0; c + 1 < cuts.size(); c += 2) segments.push_back({cuts[c], cuts[c + 1]});
    }
  return join(segments);
}

std::string png_grey(const std::vector<std::uint8_t>& pixels, int width, int height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = png_uint_32(width);
  image.height = png_uint_32(height);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = 0;
  if (!png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr))
    throw std::runtime_error(std::string("PNG: ") + image.message);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr))
    throw std::runtime_error(std::string("PNG: ") + image.message);
  bytes.resize(size);
  return bytes;
}

std::string base64(const std::string& bytes) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t n = 0; n < bytes.size(); n += 3) {
    const auto byte = [&](std::size_t m) {
      return m < bytes.size() ? std::uint32_t(std::uint8_t(bytes[m])) : 0U;
    };
    const std::uint32_t word = (byte(n) << 16) | (byte(n + 1) << 8) | byte(n + 2);
    out += kLetters[(word >> 18) & 63];
    out += kLetters[(word >> 12) & 63];
    out += n + 1 < bytes.size() ? kLetters[(word >> 6) & 63] : '=';
    out += n + 2 < bytes.size() ? kLetters[word & 63] : '=';
  }
  return out;
}

}  // namespace spinetherm
