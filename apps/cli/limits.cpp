// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/table_command.h"
#include "datasets/limit_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

const ExposureLimit& find_limit(const std::string& id) {
  std::vector<std::string> ids;
  for (const ExposureLimit& l : limit_table()) {
    if (l.id == id) return l;
    ids.push_back(l.id);
  }
  throw ConfigError(fmt::format("unknown limit '{}'", id), "NAME",
                    fmt::format("did you mean '{}'? 'spinetherm limits' lists them", nearest_word(id, ids)));
}

Json limit_json(const ExposureLimit& l) {
  Json out = {{"id", l.id}, {"structure", l.structure}, {"quantity", l.quantity}, {"above", l.above}};
  out["caution"] = l.caution ? Json(*l.caution) : Json();
  out["unsafe"] = l.unsafe ? Json(*l.unsafe) : Json();
  out["unit"] = l.unit;
  if (!l.when.empty()) out["when"] = l.when;
  if (!l.unsafe_with.empty()) out["unsafe_with"] = l.unsafe_with;
  out["source"] = l.source;
  out["confidence"] = l.confidence;
  out["text"] = l.text;
  return out;
}

std::string bound(const ExposureLimit& l, const std::optional<double>& value) {
  return value ? fmt::format("{} {:g}", l.above ? ">=" : "<", *value) : "-";
}

void print_list() {
  std::vector<std::vector<std::string>> rows = {
      {"id", "structure", "quantity", "caution", "unsafe", "sure", "only when"}};
  for (const ExposureLimit& l : limit_table()) {
    std::string when;
    for (const std::string& w : l.when) when += (when.empty() ? "" : ", ") + w;
    if (!l.unsafe_with.empty()) when += "unsafe only with " + l.unsafe_with;
    rows.push_back(
        {l.id, l.structure, l.quantity, bound(l, l.caution), bound(l, l.unsafe), l.confidence, when});
  }
  print_columns(rows);
  std::cout << "\nA domain review, not a clinician's signature. For research and teaching, not for treating "
               "patients.\n";
}

void print_limit(const ExposureLimit& l) {
  std::cout << fmt::format("{}: {}\n{} of {}: caution {}, unsafe {} {}\n", l.id, l.text, l.quantity,
                           l.structure, bound(l, l.caution), bound(l, l.unsafe), l.unit);
  for (const std::string& w : l.when) std::cout << "counts only when: " << w << '\n';
  if (!l.unsafe_with.empty()) std::cout << "unsafe only together with: " << l.unsafe_with << '\n';
  std::cout << fmt::format("source ({} confidence): {}\n", l.confidence, l.source);
}

}  // namespace

Run limits_command(CLI::App& app) {
  const auto request = add_table_request(app, "limit");
  app.footer("A value at or past a bound breaks it. Unknown is never within limits.");
  return [request](const CommandContext& context) {
    const bool one = wants_one(*request);
    if (context.json) {
      Json all = Json::array();
      for (const ExposureLimit& l : limit_table()) all.push_back(limit_json(l));
      print_json(one ? limit_json(find_limit(request->name)) : Json{{"limits", all}});
    } else if (one) {
      print_limit(find_limit(request->name));
    } else {
      print_list();
    }
    return kExitDone;
  };
}

}  // namespace spinetherm
