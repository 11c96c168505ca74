// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/validation.h"
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

nlohmann::ordered_json bound_json(double bound) {
  return std::isfinite(bound) ? nlohmann::ordered_json(bound) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json row_json(const ValidationRow& row) {
  return {{"quantity", row.quantity},
          {"unit", row.unit},
          {"simulated", bound_json(row.simulated)},
          {"published", row.published},
          {"band", {bound_json(row.low), bound_json(row.high)}},
          {"verdict", row.verdict()},
          {"confidence", to_string(row.confidence)},
          {"required", row.required},
          {"cause", row.cause}};
}

std::string band_text(const ValidationRow& row) {
  if (row.required) return "above 0";
  if (!std::isfinite(row.low) && !std::isfinite(row.high)) return "-";
  if (!std::isfinite(row.low)) return fmt::format("up to {:.4g}", row.high);
  if (!std::isfinite(row.high)) return fmt::format("from {:.4g}", row.low);
  return fmt::format("{:.4g} to {:.4g}", row.low, row.high);
}

void print_row(const ValidationRow& row) {
  const std::string here = row.known ? fmt::format("{:.4g}", row.simulated) : "-";
  std::cout << fmt::format("  {:<58} {:>8} {:<4} {:<38} {:<14} {:<11} {}\n", row.quantity, here, row.unit,
                           row.published, band_text(row), row.verdict(),
                           row.known ? to_string(row.confidence) : "-");
}

int run_validation(const std::string& ids, const CommandContext& context) {
  const auto experiments = choose_validation_experiments(ids);
  const VerificationOptions run{context.seed, context.threads};
  nlohmann::ordered_json document = {{"tuned", false}, {"experiments", nlohmann::ordered_json::array()}};
  int judged = 0, in_band = 0;
  std::vector<std::string> broken;
  if (!context.json)
    std::cout << fmt::format("  {:<58} {:>8} {:<4} {:<38} {:<14} {:<11} {}\n", "quantity", "here", "",
                             "published", "band", "", "inputs");
  for (std::size_t n = 0; n < experiments.size(); ++n) {
    const ValidationExperiment& e = experiments[n];
    context.progress(double(n) / double(experiments.size()), fmt::format("{} {}", e.id, e.title));
    const auto rows = e.run(run, Progress{{}, context.progress.stop});
    throw_if_cancelled(context.progress);
    nlohmann::ordered_json one = {
        {"id", e.id}, {"title", e.title}, {"source", e.source}, {"rows", nlohmann::ordered_json::array()}};
    if (!context.json) std::cout << fmt::format("{} {}; {}\n", e.id, e.title, e.source);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const ValidationRow& row = rows[r];
      one["rows"].push_back(row_json(row));
      if (row.required) {
        if (!row.in_band()) broken.push_back(fmt::format("{} {}", row.id, row.quantity));
      } else if (row.judged) {
        ++judged;
        if (row.in_band()) ++in_band;
      }
      if (context.json) continue;
      print_row(row);
      if (r + 1 == rows.size() || rows[r + 1].cause != row.cause)
        std::cout << fmt::format("      {}\n", row.cause);
    }
    document["experiments"].push_back(std::move(one));
  }
  document["judged"] = judged;
  document["in_band"] = in_band;
  document["broken_rules"] = broken;
  if (context.json)
    print_json(document);
  else
    std::cout << fmt::format(
        "{} of {} numbers in their bands; one property set, nothing tuned; rules that must hold: {}\n",
        in_band, judged, broken.empty() ? "kept" : fmt::format("BROKEN: {}", fmt::join(broken, ", ")));
  return broken.empty() ? kExitDone : kExitVerdict;
}

}  // namespace

Run verify_command(CLI::App& app) {
  auto ids = std::make_shared<std::string>();
  auto validation = std::make_shared<bool>(false);
  app.add_option("--case", *ids,
                 "letters of the cases to run, a,b,..., or with --validation ids of experiments, V2,V8,...; "
                 "without it all")
      ->type_name("LIST");
  app.add_flag(
      "--validation", *validation,
      "simulates published experiments instead: simulated beside published, confidence of the inputs, "
      "cause of the difference; out of band is no failure");
  return [ids, validation](const CommandContext& context) -> int {
    if (*validation) return run_validation(*ids, context);
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
