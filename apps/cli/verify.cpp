// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/verification.h"

namespace spinetherm {
namespace {

nlohmann::ordered_json row_json(const VerificationRow& row) {
  return {{"quantity", row.quantity}, {"unit", row.unit},      {"exact", row.exact},
          {"computed", row.computed}, {"error", row.error()},  {"gate", row.gate},
          {"at_least", row.at_least}, {"passed", row.passed()}};
}

void print_row(const VerificationRow& row) {
  std::cout << fmt::format("  {:<58} {:>12.6g} {:>12.6g} {:>10.3g} {:>10.3g} {:<5} {}\n", row.quantity,
                           row.exact, row.computed, row.error(), row.gate, row.unit,
                           row.passed() ? "pass" : "FAIL");
}

}  // namespace

Run verify_command(CLI::App& app) {
  auto ids = std::make_shared<std::string>();
  app.add_option("--case", *ids, "letters of the cases to run, a,b,...; without it all")->type_name("LIST");
  return [ids](const CommandContext& context) -> int {
    const auto cases = choose_verification_cases(*ids);
    const VerificationOptions run{context.seed, context.threads};
    nlohmann::ordered_json document = {
        {"seed", context.seed}, {"passed", true}, {"cases", nlohmann::ordered_json::array()}};
    int failed = 0, rows_in_all = 0;
    for (std::size_t n = 0; n < cases.size(); ++n) {
      const VerificationCase& c = cases[n];
      context.progress(double(n) / double(cases.size()), fmt::format("({}) {}", c.id, c.title));
      const auto rows = c.run(run, Progress{{}, context.progress.stop});
      throw_if_cancelled(context.progress);
      nlohmann::ordered_json one = {
          {"case", c.id}, {"title", c.title}, {"rows", nlohmann::ordered_json::array()}};
      if (!context.json) {
        std::cout << fmt::format("({}) {}\n", c.id, c.title);
        if (n == 0)
          std::cout << fmt::format("  {:<58} {:>12} {:>12} {:>10} {:>10}\n", "quantity", "exact", "computed",
                                   "error", "gate");
      }
      for (const VerificationRow& row : rows) {
        one["rows"].push_back(row_json(row));
        if (!context.json) print_row(row);
        ++rows_in_all;
        if (!row.passed()) ++failed;
      }
      document["cases"].push_back(std::move(one));
    }
    document["passed"] = failed == 0;
    document["not_covered"] = verification_gaps();
    if (context.json)
      print_json(document);
    else
      std::cout << fmt::format(
          "{} of {} numbers within their gates{}{}\n", rows_in_all - failed, rows_in_all,
          verification_gaps().empty() ? "" : "; not covered: ", fmt::join(verification_gaps(), ", "));
    return failed == 0 ? kExitDone : kExitVerdict;
  };
}

}  // namespace spinetherm
