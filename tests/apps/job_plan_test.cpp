// SPDX-License-Identifier: Apache-2.0
// The whole job with its thermal solve, on a coarse patient: minutes.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/io/case_file.h"
#include "apps/io/plan_file.h"
#include "apps/job.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/read.h"
#include "tests/apps/job_fixture.h"
#include "tests/apps/schema_check.h"

namespace spinetherm {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

class JobPlan : public JobTest {};

TEST_F(JobPlan, StagesOneByOneAreTheWholeJobAndItsFilesAreItsResult) {
  const Job whole = run_job(patient, options, {});
  ASSERT_NE(whole.plan(), nullptr);
  ASSERT_TRUE(whole.plan()->thermal.summary.usable()) << whole.plan()->thermal.summary.message;
  EXPECT_EQ(whole.plans.solves, 1);
  Job stepwise = make_job(patient, options, {});
  for (const JobStage& stage : job_stages()) stage.run(stepwise, {});
  const auto expected = to_json(case_result(whole));
  EXPECT_EQ(to_json(case_result(stepwise)), expected);
  ASSERT_EQ(stepwise.plans.plans.size(), whole.plans.plans.size());
  for (std::size_t n = 0; n < whole.plans.plans.size(); ++n)
    EXPECT_EQ(stepwise.plans.plans[n].plan, whole.plans.plans[n].plan);
  EXPECT_EQ(stepwise.plan()->thermal.peak_temperature, whole.plan()->thermal.peak_temperature);
  EXPECT_THAT(schema_errors(expected, "case_result"), IsEmpty());
  EXPECT_GT(whole.plan()->coverage.coverage.value_or(0), 0.2) << "it does heat the target";

  // What is written is what was computed.
  write_job(whole, file("out"));
  EXPECT_EQ(parse_json_file(file("out/result.json")), nlohmann::json(expected));
  std::ifstream stream(file("out/report.html"));
  const std::string report(std::istreambuf_iterator<char>(stream), {});
  const auto count = [&](const std::string& text) {
    int n = 0;
    for (std::size_t at = report.find(text); at != std::string::npos; at = report.find(text, at + 1)) ++n;
    return n;
  };
  EXPECT_GE(count("data:image/png"), 3);
  EXPECT_EQ(count(">SYNTHETIC</text>"), count("data:image/png")) << "every picture says it";
  EXPECT_EQ(count("<span class=\"mark\">SYNTHETIC</span>"), 1);
  EXPECT_EQ(count("ESCC) not known"), 0) << "the phantom's labels tell it";
  EXPECT_EQ(read_plan(file("out/plan.json")).applicators, whole.plan()->plan.applicators);
  EXPECT_EQ(read_case(file("out/case.json")).ct->path, patient.ct->path);
  EXPECT_EQ(read_volume(file("out/ct.nrrd")).grid.size, whole.ct_roi.volume.grid.size);
  const auto painted = read_label_volume(file("out/anatomy.seg.nrrd"));
  EXPECT_THAT(painted.values, Contains(std::uint32_t(*structure_value("tumour"))));

  // The same plan from its file gives the same heat.
  Job again = make_job(patient, options, {});
  for (const JobStage& stage : job_stages())
    if (stage.name != "plan") stage.run(again, {});
  simulate_plan(again, read_plan(file("out/plan.json")), {});
  EXPECT_EQ(again.plan()->exposure.verdict(), whole.plan()->exposure.verdict());
  EXPECT_EQ(again.plan()->thermal.peak_temperature, whole.plan()->thermal.peak_temperature);
  write_simulation(again, file("simulation"));
  EXPECT_THAT(schema_errors(parse_json_file(file("simulation/result.json")), "result"), IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(file("simulation/fields/peak_temperature.mha")));
}

TEST_F(JobPlan, CancelledWhileItSolvesItIsNoResult) {
  std::stop_source source;
  Progress progress;
  progress.stop = source.get_token();
  bool planning = false;
  progress.report = [&](double, std::string_view what) {
    if (planning && what != "plan") source.request_stop();
    planning |= what == "plan";
  };
  const Job job = run_job(patient, options, {}, progress);
  EXPECT_TRUE(planning);
  EXPECT_FALSE(job.plan() && job.plan()->thermal.summary.usable());
  EXPECT_TRUE(case_result(job).needs_attention());
}

}  // namespace
}  // namespace spinetherm
