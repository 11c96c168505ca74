// SPDX-License-Identifier: Apache-2.0
#include "apps/phantom_cohort.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/io/case_file.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"
#include "imaging/labels.h"
#include "imaging/read.h"
#include "imaging/write.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

CohortRequest request(const fs::path& folder, int count) {
  CohortRequest r;
  r.count = count;
  r.seed = 5;
  r.folder = folder;
  r.base.spacing_mm = 3;
  r.base.supersample = 1;
  return r;
}

TEST(PhantomCohort, GoesOnWhereItWasStopped) {
  const ScratchFolder scratch;
  const CohortRun first = make_cohort(request(scratch / "c", 2));
  ASSERT_EQ(first.termination, Termination::reached_end);
  EXPECT_EQ(first.made, 2);
  for (const CohortEntry& e : first.index.patients) {
    EXPECT_EQ(e.state, "done");
    const PatientCase patient = read_case(scratch / "c" / e.name / "case.json");
    EXPECT_EQ(patient.level.name, e.level);
    EXPECT_GT(e.volume_ml, 0);
    EXPECT_FALSE(e.eligibility.empty());
  }
  EXPECT_EQ(read_cohort(scratch / "c/cohort.json").patients, first.index.patients);

  const auto time = fs::last_write_time(scratch / "c/p0001/ct.nii.gz");
  fs::remove_all(scratch / "c/p0002");
  const CohortRun second = make_cohort(request(scratch / "c", 3));
  EXPECT_EQ(second.made, 2);
  EXPECT_EQ(second.kept, 1);
  EXPECT_EQ(fs::last_write_time(scratch / "c/p0001/ct.nii.gz"), time);
  EXPECT_EQ(second.index.patients[1], first.index.patients[1]);
}

TEST(PhantomCohort, StatisticsAreThoseOfTheWrittenLabels) {
  const ScratchFolder scratch;
  const CohortRun run = make_cohort(request(scratch / "c", 2));
  EXPECT_EQ(run.statistics.patients, 2);
  ASSERT_GE(run.statistics.levels.size(), 2U);
  const LevelRatios& all = run.statistics.levels.front();
  EXPECT_EQ(all.level, "all");
  EXPECT_GE(all.measures.front().count, 2) << "two whole levels without tumour, or more";
  for (const MeasureRatio& m : all.measures) {
    if (m.count == 0) continue;
    EXPECT_NEAR(m.mean, 1, 0.35) << m.name << ", voxels of 3 mm";
  }
  int kinds = 0;
  for (const CohortRow& r : run.statistics.mixes.at(1).second) kinds += r.count;
  EXPECT_EQ(kinds, 2);
  const nlohmann::json json = parse_json_file(scratch / "c/cohort.json");
  EXPECT_EQ(json.at("statistics"), nlohmann::json(to_json(run.statistics)));

  // A body that loses half of its voxels on disk loses half of its volume in the statistics.
  const fs::path one = scratch / "c/p0001", file = one / "labels_ct.nii.gz";
  const CohortStatistics before = cohort_statistics({one});
  auto labels = import_labels(read_label_volume(file), "spinetherm").labels;
  std::size_t n = 0;
  for (StructureValue& v : labels.values)
    if (structure_name(v).starts_with("vertebra_body") && ++n % 2 == 0) v = 0;
  write_labels(file, labels);
  const CohortStatistics after = cohort_statistics({one});
  EXPECT_NEAR(after.levels.front().measures.front().mean, before.levels.front().measures.front().mean / 2,
              0.05);
}

TEST(PhantomCohort, CancelledKeepsWhatIsFinished) {
  const ScratchFolder scratch;
  std::stop_source stop;
  Progress progress;
  progress.stop = stop.get_token();
  progress.report = [&](double fraction, std::string_view) {
    if (fraction > 0.55) stop.request_stop();
  };
  const CohortRun run = make_cohort(request(scratch / "c", 2), progress);
  EXPECT_EQ(run.termination, Termination::cancelled);
  EXPECT_EQ(run.made, 1);
  const CohortIndex index = read_cohort(scratch / "c/cohort.json");
  EXPECT_EQ(index.patients.at(0).state, "done");
  EXPECT_EQ(index.patients.at(1).state, "to_do");
  EXPECT_FALSE(fs::exists(scratch / "c/p0002"));
}

TEST(PhantomCohort, RefusesWhatCannotBeMeant) {
  const ScratchFolder scratch;
  EXPECT_THAT([&] { make_cohort(request(scratch / "c", 0)); },
              ThrowsMessage<ConfigError>(HasSubstr("a cohort of 0 patients")));
  EXPECT_THAT([&] { make_cohort(request(scratch / "c", -3)); },
              ThrowsMessage<ConfigError>(HasSubstr("a cohort of -3 patients")));
  fs::create_directory(scratch / "full");
  std::ofstream(scratch / "full/notes.txt") << "mine";
  EXPECT_THAT([&] { make_cohort(request(scratch / "full", 1)); },
              ThrowsMessage<IoError>(HasSubstr("holds no cohort")));
  make_cohort(request(scratch / "c", 1));
  CohortRequest other = request(scratch / "c", 1);
  other.seed = 6;
  EXPECT_THAT([&] { make_cohort(other); },
              ThrowsMessage<ConfigError>(HasSubstr("another cohort, of seed 5")));
}

}  // namespace
}  // namespace spinetherm
