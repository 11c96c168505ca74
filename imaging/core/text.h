// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spinetherm {

/// Levenshtein distance: insertions, deletions and substitutions cost 1.
int edit_distance(std::string_view a, std::string_view b);

/// The known word nearest to `word` by edit distance; empty when `known` is empty.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace spinetherm
