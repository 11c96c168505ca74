// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/heat_level.h"
#include "thermal/tissue_law.h"

namespace spinetherm {

/// State of a larger cell that takes over from the smaller ones in it: their mean enthalpy where all are of
/// its tissue, so that no heat is lost and half of a frozen cell is half of the ice; else their mean
/// temperature, which heat of other capacity would change. Parts inside an applicator are left out.
template <class Real>
class PartsMean {
 public:
  explicit PartsMean(std::uint8_t label) : label_(label) {}
  void add(const HeatLevel<Real>& level, std::size_t cell) {
    if (level.is_hole(cell)) return;
    enthalpy_ += double(level.y[std::size_t(level.now)][cell]);
    warmth_ += double(level.theta_now()[cell]);
    alike_ = alike_ && level.label[cell] == label_;
    ++count_;
  }
  bool empty() const { return count_ == 0; }
  double u(const std::vector<Tissue>& tissues) const {
    return alike_ ? enthalpy_ / count_ : u_of_theta(tissues[label_], warmth_ / count_);
  }

 private:
  std::uint8_t label_;
  double enthalpy_ = 0, warmth_ = 0;
  int count_ = 0;
  bool alike_ = true;
};

}  // namespace spinetherm
