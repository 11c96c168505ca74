// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>

#include "datasets/spine_options.h"

namespace spinetherm {

/// The options of `phantom` that are about the patient: what is left out is drawn from the seed.
struct PhantomSpineOptions {
  std::string sex, variant = "none";
  SpineOptions spine;

  /// ConfigError for a word nobody knows; numbers are checked by the phantom.
  void apply_to(SpineOptions& options) const;
};
void add_phantom_spine_options(CLI::App& app, PhantomSpineOptions& options);

}  // namespace spinetherm
