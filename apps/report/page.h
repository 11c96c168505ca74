// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace spinetherm {

/// On every page.
inline constexpr std::string_view kBanner =
    "Simulation for research and teaching. Not for treating patients.";

/// Rows of escaped text; a verdict word under the header "verdict" is shown in its colour.
struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
std::string table_html(const Table& table);
/// Two columns: what, value.
std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts);
std::string list_html(const std::vector<std::string>& items);
/// A coloured badge with the verdict's text; `word` is within_limits, caution, unknown, unsafe, refer ...
std::string badge_html(std::string_view word, std::string_view text);

struct Section {
  std::string title;
  std::string html;     ///< ready markup
  bool folded = false;  ///< shown as a closed <details>
};

struct Page {
  std::string title, subtitle;
  std::string summary_html;  ///< the box at the head: verdict and what decided it
  std::vector<Section> sections;
  std::string footer;
  std::string mark = {};  ///< before the title and in the banners: "SYNTHETIC"; empty: a patient's images
};

/// One self-contained HTML document: no script, no network, prints to paper; the banner at head and foot.
std::string page_html(const Page& page);

}  // namespace spinetherm
