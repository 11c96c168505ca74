// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "imaging/core/json_reader.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// A number of a table and how far it can be trusted.
struct TableNumber {
  double value = 0;
  Provenance provenance;
  std::optional<std::array<double, 2>> range = {};  ///< low, high of the references
};

/// Reads the numbers of a table, none of which may lack a source. In the document, a number is
///   {"value": 0.49, "source": "itis", "confidence": "recalled", "range": [0.33, 0.57]}
/// or a plain number inside a group, an object that has "source" and "confidence" for all of its plain
/// numbers. A source is a key of the document's `sources`, whose text becomes Provenance::source.
class TableReader {
 public:
  /// Takes `sources` of the document.
  explicit TableReader(const JsonReader& document);

  /// "source" and "confidence" of an object. ConfigError when one is missing or unknown.
  Provenance provenance(const JsonReader& object) const;
  /// ConfigError for a plain number without a group, or a range that does not hold the value.
  TableNumber number(const JsonReader& value, const std::optional<Provenance>& group = {}) const;

 private:
  std::map<std::string, std::string> sources_;
};

}  // namespace spinetherm
