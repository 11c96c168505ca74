// SPDX-License-Identifier: Apache-2.0
#include "thermal/antenna_cache.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <vector>

namespace spinetherm {
namespace {

constexpr std::size_t kKept = 16;
constexpr double kAlong_r_mm = 0.25, kAlong_z_mm = 0.5;

struct Entry {
  CoaxialAntenna antenna;
  AntennaFieldOptions options;
  std::vector<Dielectric> tissue;
  std::shared_ptr<const AntennaField> field;
};

std::vector<Dielectric> sampled(const DielectricAround& tissue, const AntennaFieldOptions& o) {
  std::vector<Dielectric> samples;
  for (double z = -o.before_mm + kAlong_z_mm / 2; z < o.behind_mm; z += kAlong_z_mm)
    for (double r = kAlong_r_mm / 2; r < o.radius_mm; r += kAlong_r_mm) samples.push_back(tissue(r, z));
  return samples;
}

}  // namespace

std::shared_ptr<const AntennaField> cached_antenna_field(const CoaxialAntenna& antenna,
                                                         const DielectricAround& tissue,
                                                         const AntennaFieldOptions& options) {
  static std::mutex mutex;
  static std::deque<Entry> entries;  // the latest first
  std::vector<Dielectric> samples = sampled(tissue, options);
  {
    const std::scoped_lock lock(mutex);
    for (const Entry& e : entries)
      if (e.antenna == antenna && e.options == options && e.tissue == samples) return e.field;
  }
  auto field = std::make_shared<const AntennaField>(solve_antenna(antenna, tissue, options));
  const std::scoped_lock lock(mutex);
  entries.push_front({antenna, options, std::move(samples), field});
  if (entries.size() > kKept) entries.pop_back();
  return field;
}

}  // namespace spinetherm
