// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "apps/io/markups_file.h"
#include "apps/io/plan_file.h"
#include "apps/io/result_file.h"
#include "apps/job.h"
#include "apps/report/case_report.h"
#include "imaging/labels.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

/// The anatomy with the target painted over it, as one segmentation.
void write_masks(const Job& job, const fs::path& folder) {
  Volume<StructureValue> labels = resample_labels(job.anatomy, job.ct_roi.volume.grid).labels;
  const Grid& g = labels.grid;
  const StructureValue tumour = *structure_value("tumour");
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (sample_nearest(job.target.mask, g.to_world(i, j, k)).value_or(0)) labels(i, j, k) = tumour;
  write_labels(folder / "anatomy.seg.nrrd", labels);
}

}  // namespace

Json to_json(const JobRegistration& r) {
  const RegistrationQuality& q = r.result.quality;
  return {{"fixed", r.fixed},
          {"moving", r.moving},
          {"verdict", to_string(r.result.verdict)},
          {"reasons", r.result.reasons},
          {"quality",
           {{"tre_mm", or_null(q.tre_mm)},
            {"metric",
             {{"value", or_null(q.mutual_information)},
              {"level_up", or_null(q.level_up)},
              {"level_down", or_null(q.level_down)}}},
            {"inverse_consistency_mm", or_null(q.inverse_consistency_mm)}}}};
}

void write_simulation(const Job& job, const fs::path& folder) {
  fs::create_directories(folder);
  write_case(job.patient, folder / "case.json");
  const RankedPlan* ranked = job.plan();
  if (!ranked) return;
  Plan plan = ranked->plan;
  plan.case_path = "case.json";
  write_plan(plan, folder / "plan.json");
  write_result(ranked->thermal, folder);
  if (ranked->warm_canal) write_result(*ranked->warm_canal, folder / kWarmCanalFolder);
}

void write_job(const Job& job, const fs::path& folder) {
  fs::create_directories(folder);
  write_json_file(to_json(case_result(job)), folder / "result.json");
  write_case(job.patient, folder / "case.json");
  if (job.plan()) {
    Plan plan = job.plan()->plan;
    plan.case_path = "case.json";
    write_plan(plan, folder / "plan.json");
    write_needles(plan, folder / "needles.mrk.json");
    write_simulation(job, folder / "simulation");
  }
  if (job.plans.plans.size() > 1) {
    fs::create_directories(folder / "plans");
    for (std::size_t n = 0; n < job.plans.plans.size(); ++n) {
      Plan plan = job.plans.plans[n].plan;
      plan.case_path = "../case.json";
      write_plan(plan, folder / "plans" / fmt::format("plan-{}.json", n + 1));
    }
  }
  write_volume(folder / "ct.nrrd", job.ct_roi.volume, synthetic_mark(job.patient));
  write_masks(job, folder);
  if (job.registration && job.registration->result.usable()) {
    const JobRegistration& r = *job.registration;
    write_transform(folder / fmt::format("{}_from_{}.tfm", r.moving, r.fixed), r.result.moving_from_fixed);
    write_transform(folder / fmt::format("{}_from_{}.tfm", r.fixed, r.moving), r.result.fixed_from_moving);
  }
  write_report(job, folder / "report.html");
}

}  // namespace spinetherm
