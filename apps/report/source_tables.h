// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "apps/job.h"

namespace spinetherm {

/// "rfa" -> "Radiofrequency ablation".
std::string energy_title(std::string_view energy);

/// The numbers that a report rests on, each with its source and confidence, as HTML.
std::string tissue_section_html(const Job& job);
std::string device_section_html(const Job& job);
std::string limit_section_html();
std::string provenance_section_html(const Job& job);

}  // namespace spinetherm
