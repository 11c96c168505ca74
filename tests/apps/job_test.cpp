// SPDX-License-Identifier: Apache-2.0
// The stages before the thermal solve; the whole job: job_plan_test.cpp.
#include "apps/job.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "imaging/core/error.h"
#include "imaging/resample.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"
#include "tests/apps/job_fixture.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class JobStages : public JobTest {
 protected:
  /// Runs the stages up to and with `last`.
  Job job_after(std::string_view last) const {
    Job job = make_job(patient, options, {});
    for (const JobStage& stage : job_stages()) {
      stage.run(job, {});
      if (stage.name == last) return job;
    }
    ADD_FAILURE() << "no stage " << last;
    return job;
  }
  std::string refusal(std::string_view last) const {
    try {
      job_after(last);
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
      return e.what();
    }
    return "accepted";
  }
  void aim_at(const Eigen::Vector3d& centre_mm, double radius_mm = 6) {
    patient.target = {};
    patient.target.centre_mm = centre_mm;
    patient.target.radii_mm = Eigen::Vector3d::Constant(radius_mm);
  }
};

TEST_F(JobStages, AreThoseOfTheDesignInTheirOrder) {
  std::vector<std::string_view> names;
  for (const JobStage& stage : job_stages()) names.push_back(stage.name);
  EXPECT_THAT(names,
              ::testing::ElementsAre("read", "register", "anatomy", "target", "fuse", "eligibility", "plan"));
}

TEST_F(JobStages, OptionsAreCheckedBeforeAnyWork) {
  for (const auto& [spoil, field] : std::vector<std::pair<std::function<void(JobOptions&)>, std::string>>{
           {[](JobOptions& o) { o.spacing_mm = 0; }, "spacing_mm"},
           {[](JobOptions& o) { o.margin_mm = -1; }, "margin_mm"},
           {[](JobOptions& o) { o.max_solves = 0; }, "max_solves"},
           {[](JobOptions& o) { o.roi.back_mm = 0; }, "back_mm"}}) {
    JobOptions o = options;
    spoil(o);
    EXPECT_THAT([&] { make_job(patient, o, {}); }, ::testing::ThrowsMessage<ConfigError>(HasSubstr(field)));
  }
}

TEST_F(JobStages, ANewJobKnowsNothing) {
  const Job job = make_job(patient, options, {});
  EXPECT_EQ(job.plan(), nullptr);
  EXPECT_FALSE(job.registration);
  EXPECT_EQ(job.eligibility.verdict, EligibilityVerdict::unknown);
  EXPECT_EQ(job.plans.termination, Termination::not_run);
  const CaseResult result = case_result(make_job(PatientCase{}, options, {}));
  EXPECT_EQ(result.exposure.verdict(), Verdict::unknown);
  EXPECT_FALSE(result.plan);
  EXPECT_TRUE(result.needs_attention());
}

TEST_F(JobStages, ReadTakesEveryImageAsWhatTheCaseCallsIt) {
  const Job job = job_after("read");
  EXPECT_EQ(job.ct.modality, Modality::ct);
  EXPECT_EQ(job.ct.volume.values, phantom().ct.volume.values);
  ASSERT_TRUE(job.cbct);
  EXPECT_EQ(job.cbct->modality, Modality::cbct);
  ASSERT_EQ(job.mri.size(), 3u);
  EXPECT_EQ(job.mri[0].modality, Modality::mr_t1);
  EXPECT_EQ(job.mri[1].modality, Modality::mr_t2);
  EXPECT_EQ(job.mri[2].modality, Modality::mr_stir);
}

TEST_F(JobStages, ACaseWithoutCtIsOneLine) {
  patient.ct.reset();
  EXPECT_THAT(refusal("read"), AllOf(HasSubstr("the case names no CT"), HasSubstr("/images/ct")));
}

TEST_F(JobStages, ATransformOfTheCaseIsTakenUncheckedInEitherDirection) {
  const Job job = job_after("register");
  ASSERT_TRUE(job.registration);
  EXPECT_TRUE(job.registration->given);
  EXPECT_EQ(job.registration->fixed, "cbct");
  EXPECT_EQ(job.registration->result.verdict, RegistrationVerdict::check) << "not good: nobody checked it";
  EXPECT_FALSE(job.registration->result.quality.tre_mm) << "no landmarks: unknown";
  EXPECT_LT(angle_deg(job.registration->result.fixed_from_moving * phantom().mri_from_cbct), 1e-6);

  write_transform(file("cbct_from_mri.tfm"), inverse(phantom().mri_from_cbct));
  patient.transforms.back() = {file("cbct_from_mri.tfm"), "mri", "cbct"};
  const Job other = job_after("register");
  EXPECT_LT((other.registration->result.moving_from_fixed.translation_mm -
             job.registration->result.moving_from_fixed.translation_mm)
                .norm(),
            1e-9);
}

TEST_F(JobStages, LandmarksMeasureTheRegistrationAndMustPair) {
  for (const LevelLandmarks& level : phantom().landmarks)
    for (const Landmark& l : level.points) options.landmarks_fixed_mm.push_back(l.at_mm);
  for (const LevelLandmarks& level : phantom().landmarks_mri)
    for (const Landmark& l : level.points) options.landmarks_moving_mm.push_back(l.at_mm);
  EXPECT_LT(job_after("register").registration->result.quality.tre_mm.value(), 1e-6);
  for (auto& x : options.landmarks_moving_mm) x.z() += 3;
  EXPECT_NEAR(job_after("register").registration->result.quality.tre_mm.value(), 3, 1e-6);
  options.landmarks_moving_mm.pop_back();
  EXPECT_THAT(refusal("register"), HasSubstr("32 landmarks in one image, 31 in the other"));
}

TEST_F(JobStages, WithoutAnMriThereIsNothingToRegisterOrToFuse) {
  patient.mri.clear();
  const Job job = job_after("eligibility");
  EXPECT_FALSE(job.registration);
  EXPECT_TRUE(job.fused.empty());
  EXPECT_TRUE(case_result(job).registration.is_null());
}

TEST_F(JobStages, AnatomyGetsSacAndRootsThatTheLabelsLack) {
  EXPECT_EQ(job_after("anatomy").anatomy.status_of("dural_sac"), StructureStatus::imported);
  Volume<StructureValue> bare = phantom().anatomy.labels;
  for (StructureValue& v : bare.values) {
    const std::string_view name = structure_name(v);
    if (name == "dural_sac") v = *structure_value("canal");
    if (name.starts_with("root_") || name.starts_with("ganglion_")) v = 0;
  }
  std::filesystem::create_directories(file("bare"));
  write_labels(file("bare/labels.nii.gz"), bare);
  patient.labels = {{file("bare/labels.nii.gz"), "spinetherm"}};
  const Job job = job_after("anatomy");
  EXPECT_EQ(job.anatomy.status_of("vertebra_L3"), StructureStatus::imported);
  EXPECT_EQ(job.anatomy.status_of("dural_sac"), StructureStatus::estimated);
  EXPECT_EQ(job.anatomy.status_of("root_L3_left"), StructureStatus::modelled);
  EXPECT_THAT(job.anatomy.warnings, Not(IsEmpty()));
  for (const std::string& w : job.anatomy.warnings)
    EXPECT_THAT(job.warnings, Contains("anatomy: " + w)) << "reaches the report";
}

TEST_F(JobStages, TheFirstLabelMapOfAListWins) {
  const StructureValue aorta = *structure_value("aorta"), l3 = *structure_value("vertebra_L3"),
                       tumour = *structure_value("tumour");
  Volume<StructureValue> first(phantom().anatomy.labels.grid);
  for (std::size_t n = 0; n < first.values.size(); ++n)
    if (phantom().anatomy.labels[n] == aorta) first[n] = l3;
  std::filesystem::create_directories(file("first"));
  write_labels(file("first/labels.nii.gz"), first);
  patient.labels.insert(patient.labels.begin(), {file("first/labels.nii.gz"), "spinetherm"});
  const Job job = job_after("anatomy");
  for (std::size_t n = 0; n < first.values.size(); ++n) {
    if (first[n] == l3) {
      ASSERT_EQ(job.anatomy.labels[n], l3);
    }
    if (phantom().anatomy.labels[n] == tumour) {
      ASSERT_EQ(job.anatomy.labels[n], tumour) << "what it leaves free is the second's";
    }
  }
}

TEST_F(JobStages, LabelsOfAnotherScanAreRefused) {
  Volume<StructureValue> elsewhere = phantom().anatomy.labels;
  elsewhere.grid.origin_mm += Eigen::Vector3d(0, 0, 900);
  std::filesystem::create_directories(file("elsewhere"));
  write_labels(file("elsewhere/labels.nii.gz"), elsewhere);
  patient.labels = {{file("elsewhere/labels.nii.gz"), "spinetherm"}};
  EXPECT_THAT(refusal("anatomy"), AllOf(HasSubstr("overlap"), HasSubstr("elsewhere/labels.nii.gz")));
}

TEST_F(JobStages, TargetIsTheLabelledVoxelsAndTheRegionLiesAroundIt) {
  const Job job = job_after("target");
  EXPECT_NEAR(shape_of(job.target).volume_ml, phantom().lesion.volume_ml, 1e-6);
  EXPECT_EQ(job.target.level, "L3");
  EXPECT_EQ(job.target.kind, "lytic");
  const Grid& roi = job.ct_roi.volume.grid;
  EXPECT_TRUE(roi.covers(phantom().lesion.centre_mm));
  EXPECT_EQ(axis_letters(roi), "LPS");
  EXPECT_EQ(roi.spacing_mm[0], options.roi.spacing_mm);
  const CaseResult result = case_result(job);
  EXPECT_NEAR(result.coverage.volume_ml, phantom().lesion.volume_ml, 1e-6) << "known without a plan";
  EXPECT_FALSE(result.coverage.coverage);
}

TEST_F(JobStages, TheBodyOfAVertebraIsWhatLiesInFrontOfTheCanal) {
  patient.target = {};
  patient.target.label = "vertebra_L3";
  const double all_ml = shape_of(job_after("target").target).volume_ml;
  patient.target.part = "body";
  const Job job = job_after("target");
  const TargetShape body = shape_of(job.target);
  EXPECT_LT(body.volume_ml, 0.8 * all_ml);
  EXPECT_GT(body.volume_ml, 0.35 * all_ml);
  const auto cauda = centroid_mm(job.anatomy.mask("cauda"));
  ASSERT_TRUE(cauda);
  EXPECT_LT(body.centre_mm.y(), cauda->y() - 12) << "LPS: in front is -y";
}

TEST_F(JobStages, TargetsThatCannotBeMeantAreRefused) {
  aim_at({500, 0, 0});
  EXPECT_THAT(refusal("target"), AllOf(HasSubstr("target lies outside the image"), HasSubstr("/target")));
  const Grid& ct = phantom().ct.volume.grid;
  aim_at(ct.to_world(0, 0, ct.size[2] / 2), 20);
  EXPECT_THAT(refusal("target"), HasSubstr("most of the target lies outside the image"));
  aim_at(ct.to_world(ct.size[0] / 2, ct.size[1] - 3, ct.size[2] / 2), 3);  // behind the back
  EXPECT_THAT(refusal("target"), AllOf(HasSubstr("target lies in air"), HasSubstr("HU")));
  patient.target = {};
  patient.target.label = "cement";
  EXPECT_THAT(refusal("target"), AllOf(HasSubstr("no voxel is labelled 'cement'"), HasSubstr("vertebra_L3")));
}

TEST_F(JobStages, WithoutLabelsATargetCentreIsNeeded) {
  patient.labels.clear();
  EXPECT_THAT(refusal("anatomy"), HasSubstr("neither labels nor a target centre"));
  aim_at({500, 0, 0});
  EXPECT_THAT(refusal("anatomy"), HasSubstr("target lies outside the image"));
}

TEST_F(JobStages, FusionShowsTheMriWhereTheTransformsPutIt) {
  const Job job = job_after("fuse");
  ASSERT_EQ(job.fused.size(), 3u);
  EXPECT_EQ(job.fused[0].volume.grid, job.ct_roi.volume.grid);
  EXPECT_EQ(job.fused[1].modality, Modality::mr_t2);
  const Rigid mri_from_ct = phantom().mri_from_cbct * inverse(phantom().ct_from_cbct);
  int compared = 0;
  for (const LevelLandmarks& level : phantom().landmarks)
    for (const Landmark& l : level.points) {
      const auto [i, j, k] = job.fused[0].volume.grid.nearest(l.at_mm);
      if (!job.fused[0].volume.grid.contains(i, j, k)) continue;
      const auto truth =
          sample_linear(job.mri[0].volume, mri_from_ct * job.fused[0].volume.grid.to_world(i, j, k));
      if (!truth) continue;
      EXPECT_NEAR(job.fused[0].volume(i, j, k), *truth, 1e-2 + 1e-4 * std::abs(*truth)) << l.name;
      ++compared;
    }
  EXPECT_GT(compared, 10);
}

TEST_F(JobStages, WithoutATransformBetweenCtAndCbctNothingIsFusedAndThatIsSaid) {
  patient.transforms.erase(patient.transforms.begin());
  const Job job = job_after("fuse");
  EXPECT_TRUE(job.fused.empty());
  EXPECT_THAT(job.warnings, Contains(HasSubstr("no transform between CT and CBCT")));
}

TEST_F(JobStages, EligibilityFollowsTheClinicalFacts) {
  EXPECT_NE(job_after("eligibility").eligibility.verdict, EligibilityVerdict::refer);
  patient.clinical.deficit = true;
  const Job job = job_after("eligibility");
  EXPECT_EQ(job.eligibility.verdict, EligibilityVerdict::refer);
  EXPECT_TRUE(case_result(job).needs_attention());
  EXPECT_THAT(job.eligibility.reasons, Not(IsEmpty()));
}

TEST_F(JobStages, CancelledBeforeTheFirstStageNothingIsRead) {
  std::stop_source source;
  source.request_stop();
  Progress progress;
  progress.stop = source.get_token();
  const Job job = run_job(patient, options, {}, progress);
  EXPECT_TRUE(job.ct.volume.empty());
  EXPECT_EQ(job.plans.termination, Termination::not_run);
}

TEST_F(JobStages, CancelledBetweenStagesTheLaterOnesDoNotRun) {
  std::stop_source source;
  Progress progress;
  progress.stop = source.get_token();
  std::vector<std::string> seen;
  progress.report = [&](double, std::string_view what) {
    for (const JobStage& stage : job_stages())
      if (stage.name == what) seen.emplace_back(what);
    if (what == "target") source.request_stop();
  };
  const Job job = run_job(patient, options, {}, progress);
  EXPECT_THAT(seen, ::testing::ElementsAre("read", "register", "anatomy", "target"));
  EXPECT_FALSE(job.anatomy.labels.empty());
  EXPECT_TRUE(job.fused.empty());
  EXPECT_EQ(job.eligibility.verdict, EligibilityVerdict::unknown);
  EXPECT_EQ(job.plan(), nullptr);
}

TEST_F(JobStages, AnUnknownEnergyOrDeviceIsOneLine) {
  options.device = "no-such-device";
  EXPECT_THAT(refusal("plan"), HasSubstr("no-such-device"));
  options.device.clear();
  options.energy = "rfaa";
  EXPECT_THAT(refusal("plan"), HasSubstr("rfaa"));
}

}  // namespace
}  // namespace spinetherm
