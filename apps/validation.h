// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/verification.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// One simulated number beside a published one. Out of band is a finding, not a failure: nothing is tuned on
/// these experiments, and most of their geometry has to be assumed.
struct ValidationRow {
  std::string id;        ///< of the experiment, "V8"
  std::string quantity;  ///< "diameter at -30 degC, 2 probes"
  std::string unit;
  double simulated = 0;
  std::string published;     ///< with its spread, as the paper gives it: "46.4 +/- 2.5"
  double low = 0, high = 0;  ///< band, both ends within it; +-infinity: no bound
  /// Least trusted of the inputs: properties, device, geometry. Not of the published number.
  Confidence confidence = Confidence::placeholder;
  std::string cause;  ///< one line: what is assumed, and what most likely makes the difference
  bool judged = true;
  /// A rule of physics that must hold whatever the inputs: the command fails without it.
  bool required = false;
  /// False: nobody can give a figure here, and the cause says why. Then `simulated` is not a number.
  bool known = true;
  /// False for a number that is not one.
  bool in_band() const { return low <= simulated && simulated <= high; }
  /// "in band", "out of band"; "printed" where no verdict is meant, "unknown" where there is no figure.
  std::string_view verdict() const;
};

/// A published experiment that is simulated with the built-in tissues and devices.
struct ValidationExperiment {
  std::string_view id;      ///< "V8"
  std::string_view title;   ///< "cryoprobes of 2.4 mm in agar at 39 degC"
  std::string_view source;  ///< "Littrup 2009, PMC2762356"
  std::vector<ValidationRow> (*run)(const VerificationOptions&, const Progress&);
};

/// All experiments, by number. The options' seed is not used: there is one property set.
const std::vector<ValidationExperiment>& validation_experiments();

/// Those of a list of ids ("V2,V8"); empty: all. ConfigError for an id nobody knows.
std::vector<ValidationExperiment> choose_validation_experiments(const std::string& ids);

}  // namespace spinetherm
